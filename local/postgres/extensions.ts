import { chmod, copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PostgresHome } from './home.ts';

/** Extensions that only superusers may create in PostgreSQL, and that Aurora lets its master user create. */
const offered = [
  'amcheck',
  'dblink',
  'pg_buffercache',
  'pg_prewarm',
  'pg_stat_statements',
  'pg_visibility',
  'pgrowlocks',
  'pgstattuple',
  'postgres_fdw',
];

/**
 * Makes copies of the control files of the extensions that Aurora's master user may create, with the
 * word that PostgreSQL has for that: `trusted`.
 *
 * @returns the value for the setting `extension_control_path`.
 */
export async function prepareExtensions({ binDirectory, dataDirectory }: PostgresHome): Promise<string> {
  // The setting has no way to quote its separator.
  if (dataDirectory.includes(':')) return '$system';
  const source = join(binDirectory, '..', 'share', 'postgresql', 'extension');
  const target = join(dataDirectory, 'extensions');
  await mkdir(join(target, 'extension'), { recursive: true });
  for (const directory of [target, join(target, 'extension')]) await chmod(directory, 0o755);
  for (const file of await readdir(source)) {
    const name = offered.find((one) => file === `${one}.control` || file.startsWith(`${one}--`));
    if (name === undefined) continue;
    const copy = join(target, 'extension', file);
    if (!file.endsWith('.control')) await copyFile(join(source, file), copy);
    else await writeFile(copy, `${await readFile(join(source, file), 'utf8')}\ntrusted = true\n`);
    await chmod(copy, 0o644);
  }
  return `${target}:$system`;
}
