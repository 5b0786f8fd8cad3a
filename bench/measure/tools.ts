import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The first line that a program says about its version; undefined when it is not on PATH. */
export async function versionOf(program: string, argument = '--version'): Promise<string | undefined> {
  try {
    const { stdout, stderr } = await run(program, [argument]);
    return (stdout || stderr).split('\n')[0];
  } catch {
    return undefined;
  }
}

/** The first number in a version: `pg_dump (PostgreSQL) 18.4` has 18. */
export const majorOf = (version: string): number => Number(/\d+/.exec(version)?.[0] ?? 0);
