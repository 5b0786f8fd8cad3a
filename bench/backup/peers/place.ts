import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { DataSet } from '../data-sets.ts';
import type { Tools } from './tools.ts';

/** What peers are made of. */
export interface PeerPlace {
  tools: Tools;
  dataSet: DataSet;
  /** How PostgreSQL's programs find the database. */
  environment: Record<string, string>;
  /** For whatever the peers need; gone after the run. */
  directory: string;
  /** Files with the COPY statements of each lane, by the number of lanes. */
  statements: ReadonlyMap<number, readonly string[]>;
}

/** Runs a file of statements and writes their rows to standard output. */
export const psql = (file: string): string => `psql -X -q -v ON_ERROR_STOP=1 -f '${file}'`;

/** Bytes of all files below a directory. */
export async function sizeOf(directory: string): Promise<number> {
  const entries = await readdir(directory, { withFileTypes: true, recursive: true });
  const sizes = entries
    .filter((entry) => entry.isFile())
    .map(async (entry) => (await stat(join(entry.parentPath, entry.name))).size);
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}
