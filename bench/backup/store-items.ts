import type { Client } from 'pg';
import { copyChunk } from '../../functions/recovery/chunks/copy-chunk.ts';
import { systemClock } from '../../functions/recovery/clock.ts';
import { backupIdSchema, shardNameSchema } from '../../functions/recovery/ids.ts';
import { Bucket } from '../../functions/recovery/objects/bucket.ts';
import { verifyObject } from '../../functions/recovery/objects/verify-object.ts';
import { kmsKeyring } from '../../functions/recovery/stages/encrypt.ts';
import type { StoredObject } from '../../functions/recovery/workflow.ts';
import type { Job, LaneResult } from './job.ts';
import { nullStore } from './null-store.ts';
import { kmsClient, s3Client } from './store.ts';

/** As deployed by default. */
export const compression = { format: 'zstd', level: 3 } as const;

/** Every chunk has an origin; which one makes no difference here. */
export const origin = {
  instant: '2026-01-01T00:00:00Z',
  snapshot: '',
  lsn: null,
  systemIdentifier: null,
  timeline: null,
};

/** Takes each item through the pipeline that the chunk function runs, and reads it back where the job says so. */
export async function work(
  client: Client,
  { mode, items, store }: Job,
): Promise<Pick<LaneResult, 'textBytes' | 'storedBytes'>> {
  const s3 = mode === 'null' ? nullStore() : s3Client(store);
  const kms = kmsClient(store);
  const place = { s3, bucket: store.bucket, keyring: kmsKeyring(kms, store.keyArn), compression };
  const verifyPlace = { bucket: new Bucket(s3, store.bucket), kms, keyArn: store.keyArn };
  const verify = async (object: StoredObject) => {
    const { problem } = await verifyObject(verifyPlace, object, 'full');
    if (problem !== undefined) throw new Error(`${object.key}: ${problem.detail}`);
  };
  const backupId = backupIdSchema.parse('bench');
  const shard = shardNameSchema.parse('bench');
  let textBytes = 0;
  let storedBytes = 0;
  for (const work of items) {
    const deps = { place, clock: systemClock, attempt: 'bench' };
    const { objects, bytesRead, bytesStored } = await copyChunk(deps, client, {
      backupId,
      shard,
      origin,
      work,
    });
    textBytes += bytesRead;
    storedBytes += bytesStored;
    if (mode === 'verify') for (const object of objects) await verify(object);
  }
  s3.destroy();
  kms.destroy();
  return { textBytes, storedBytes };
}
