import { createHash, randomUUID } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { version as esbuildVersion } from 'esbuild';
import * as z from 'zod';

const root = dirname(dirname(import.meta.dirname));
const recordSchema = z.object({
  key: z.string(),
  inputs: z.array(z.string()),
  inputsHash: z.string(),
  directory: z.string(),
});

/** A finished bundle and what it was made from. */
export interface BundleRecord {
  /** Name of its directory in the cache. */
  directory: string;
}

/** The bundle of an earlier pass, when its key and the content of all its inputs are the same still. */
export function findBundle(cache: string, key: string): BundleRecord | undefined {
  const path = join(cache, `${keyHash(key)}.json`);
  if (!existsSync(path)) return undefined;
  const record = recordSchema.safeParse(JSON.parse(readFileSync(path, 'utf8')));
  if (!record.success || record.data.key !== key) return undefined;
  const { inputs, inputsHash, directory } = record.data;
  const valid = hashOf(key, inputs) === inputsHash && existsSync(join(cache, directory));
  return valid ? { directory } : undefined;
}

/** Describes a bundle that was just made from these inputs (paths from the project's root). */
export function recordBundle(
  key: string,
  inputs: readonly string[],
): BundleRecord & { save(cache: string): void } {
  const inputsHash = hashOf(key, inputs);
  if (inputsHash === undefined)
    throw new Error('A source file disappeared while the functions were bundled.');
  const directory = inputsHash.slice(0, 20);
  return {
    directory,
    save(cache) {
      mkdirSync(cache, { recursive: true });
      const temporary = join(cache, `record-${randomUUID()}.json`);
      writeFileSync(temporary, JSON.stringify({ key, inputs, inputsHash, directory }));
      renameSync(temporary, join(cache, `${keyHash(key)}.json`));
    },
  };
}

/** Bundles that were made longer ago than this are removed when a new one is, in milliseconds. */
const keepForMs = 24 * 60 * 60 * 1000;

/** Removes old bundles, but none that another synth may be reading. */
export function pruneBundles(cache: string, current: string): void {
  for (const name of readdirSync(cache)) {
    const path = join(cache, name);
    const stats = statSync(path, { throwIfNoEntry: false });
    if (name === current || stats === undefined || Date.now() - stats.mtimeMs < keepForMs) continue;
    rmSync(path, { recursive: true, force: true });
  }
}

const keyHash = (key: string): string => createHash('sha256').update(key).digest('hex').slice(0, 20);

/**
 * One hash over what a bundle is made of. The project's own files count by content. Packages count by
 * the lock file that npm keeps beside them, because reading thousands of their files takes longer than bundling.
 *
 * @returns undefined when a file is gone.
 */
function hashOf(key: string, inputs: readonly string[]): string | undefined {
  const hash = createHash('sha256').update(key).update(esbuildVersion);
  const installed = join(root, 'node_modules', '.package-lock.json');
  if (existsSync(installed)) hash.update(readFileSync(installed));
  for (const input of [...inputs].filter((path) => !path.includes('node_modules/')).sort()) {
    const path = join(root, input);
    if (!existsSync(path)) return undefined;
    hash.update(input).update(readFileSync(path));
  }
  return hash.digest('hex');
}
