import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Makes a temporary directory that other users may pass through: PostgreSQL, which does not run as
 * root, then keeps its data inside and not in a place of its own.
 */
export async function passableDirectory(prefix: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), prefix));
  await chmod(directory, 0o711);
  return directory;
}

/** Temporary directories of one file of tests: `removeAll` is for its `afterAll`. */
export class TemporaryDirectories {
  readonly #made: string[] = [];

  async make(prefix: string): Promise<string> {
    const directory = await passableDirectory(prefix);
    this.#made.push(directory);
    return directory;
  }

  async removeAll(): Promise<void> {
    for (const directory of this.#made) await rm(directory, { recursive: true, force: true });
  }
}
