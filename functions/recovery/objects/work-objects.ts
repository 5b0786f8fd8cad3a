import type { WorkObject } from '../catalog/snapshot-store.ts';
import { IncompleteBackupError } from '../errors.ts';
import { sha256Of } from '../hash.ts';
import type { Bucket } from './bucket.ts';

/** Leaves a value in the store for a later function of the workflow. */
export async function leave(bucket: Bucket, key: string, value: unknown): Promise<WorkObject> {
  const text = JSON.stringify(value);
  return { key, versionId: await bucket.writeText(key, text), sha256: sha256Of(text) };
}

/**
 * Reads what an earlier function left, and only exactly that.
 * @throws IncompleteBackupError when it is missing or changed.
 */
export async function pickUp(bucket: Bucket, object: WorkObject): Promise<unknown> {
  const stored = await bucket.readText(object);
  if (stored === undefined) throw new IncompleteBackupError(`${object.key} is missing.`);
  if (sha256Of(stored.text) !== object.sha256) {
    throw new IncompleteBackupError(`${object.key} is not as it was written.`);
  }
  return JSON.parse(stored.text);
}
