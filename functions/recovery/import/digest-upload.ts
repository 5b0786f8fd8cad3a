import type * as z from 'zod';
import type { BackupCatalog } from '../catalog/backup-catalog.ts';
import { BackupNotRunningError, UploadMismatchError } from '../errors.ts';
import type { Bucket } from '../objects/bucket.ts';
import type { digestUploadEventSchema, uploadDigestSchema } from './events.ts';
import type { ImportCatalog } from './import-catalog.ts';
import { readRange } from './read-range.ts';
import { ResumableSha256 } from './resumable-sha256.ts';

type Event = z.output<typeof digestUploadEventSchema>;
type Digest = z.output<typeof uploadDigestSchema>;

/** Kept back to end in order. */
const endMs = 30_000;

export interface DigestUploadDependencies {
  readonly catalog: BackupCatalog;
  readonly imports: ImportCatalog;
  readonly bucket: Bucket;
  /** Milliseconds until this invocation ends. */
  readonly remainingMs: () => number;
}

/**
 * Computes the SHA-256 of the whole dump, as far as one invocation comes; the answer is where the next one goes on.
 *
 * @throws UploadMismatchError when it is another than was announced; BackupNotRunningError; DependencyError.
 */
export async function digestUpload(
  { catalog, imports, bucket, remainingMs }: DigestUploadDependencies,
  { backupId, upload, digest }: Omit<Event, 'traceparent'>,
): Promise<Digest> {
  const record = await catalog.get(backupId);
  if (record?.state !== 'running' || record.cancelRequested || record.import === undefined) {
    throw new BackupNotRunningError(`Import ${backupId} is not running any more.`);
  }
  const hash = new ResumableSha256(digest.state ?? undefined);
  const rest = { from: hash.bytes, bytes: upload.bytes - hash.bytes };
  for await (const piece of readRange(bucket, upload, rest)) {
    hash.update(piece);
    if (remainingMs() < endMs) break;
  }
  if (hash.bytes < upload.bytes) return { done: false, state: hash.state };
  const sha256 = hash.digest();
  const { announced } = record.import;
  if (announced.sha256 !== undefined && announced.sha256 !== sha256) {
    throw new UploadMismatchError(`The upload's SHA-256 is ${sha256}; ${announced.sha256} was announced.`);
  }
  await imports.putDigest(sha256);
  return { done: true, state: null };
}
