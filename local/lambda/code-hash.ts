import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** SHA-256 in base64 over the names and contents of all files of a directory, and their bytes. */
export async function hashCode(directory: string): Promise<{ sha256: string; sizeBytes: number }> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  const hash = createHash('sha256');
  let sizeBytes = 0;
  for (const file of files) {
    const content = await readFile(file);
    sizeBytes += content.length;
    hash.update(`${file.slice(directory.length)}\0${content.length}\0`).update(content);
  }
  return { sha256: hash.digest('base64'), sizeBytes };
}
