import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Compiled code that no environment has asked to be written for this long is of a bundle that is not there any more. */
const keptMs = 7 * 24 * 3_600_000;

/**
 * Makes ready a directory in which environments keep the compiled code of their bundles: the second environment of a function
 * starts in half the CPU time of the first. Removes what is older than a week.
 *
 * @returns its path.
 */
export async function prepareCompileCache(directory: string, now: number): Promise<string> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const { mtimeMs } = await stat(path);
    if (now - mtimeMs > keptMs) await rm(path, { force: true });
  }
  return directory;
}
