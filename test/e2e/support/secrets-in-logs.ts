import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** An API key or a webhook's secret, whole or with most of what is secret in it. */
const secret = /msk_[a-z2-7]{8}_[A-Za-z0-9_-]{20,}|whsec_[A-Za-z0-9+/=_-]{20,}/;

/** The log files below a directory that hold a secret, each with the line's beginning. */
export async function secretsInLogs(directory: string): Promise<string[]> {
  const files = (await readdir(directory, { recursive: true })).filter((name) => name.endsWith('.log'));
  const found = await Promise.all(
    files.map(async (name) => {
      const lines = (await readFile(join(directory, name), 'utf8')).split('\n');
      const line = lines.find((text) => secret.test(text));
      return line === undefined ? [] : [`${name}: ${line.replace(secret, '(a secret)').slice(0, 300)}`];
    }),
  );
  return found.flat();
}
