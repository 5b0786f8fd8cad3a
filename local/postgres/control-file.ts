import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** `DB_SHUTDOWNED` of PostgreSQL's `DBState`. */
const shutDown = 1;

/**
 * Where the log of a server that does not run ends: the position of the checkpoint that its shutdown wrote last.
 *
 * The fields are the first ones of `ControlFileData` (`src/include/catalog/pg_control.h`), in the order of this machine's bytes.
 *
 * @returns undefined when it was not shut down in order, and may have written more than it says.
 */
export async function endOfShutDown(dataDirectory: string): Promise<string | undefined> {
  const control = await readFile(join(dataDirectory, 'global', 'pg_control'));
  if (control.readUInt32LE(16) !== shutDown) return undefined;
  const [low, high] = [control.readUInt32LE(32), control.readUInt32LE(36)];
  return `${high.toString(16)}/${low.toString(16)}`;
}
