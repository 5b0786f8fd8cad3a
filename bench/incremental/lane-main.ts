import { once } from 'node:events';
import { copyChunk } from '../../functions/recovery/chunks/copy-chunk.ts';
import { systemClock } from '../../functions/recovery/clock.ts';
import { backupIdSchema, shardNameSchema } from '../../functions/recovery/ids.ts';
import { beginReading, prepareSession, rollback } from '../../functions/recovery/snapshot/session.ts';
import { kmsKeyring } from '../../functions/recovery/stages/encrypt.ts';
import type { StoredObject } from '../../functions/recovery/workflow.ts';
import { openConnection } from '../backup/connection.ts';
import { kmsClient, s3Client } from '../backup/store.ts';
import { compression, origin } from '../backup/store-items.ts';
import { ownPeakBytes } from '../measure/own-process.ts';
import { jobSchema, type Result } from './job.ts';
import { readSnapshot } from './snapshot.ts';

/** One backup, by the modules of the chunk function: connected before the clock starts. */
const job = jobSchema.parse((await once(process, 'message'))[0]);
const client = await openConnection(job.connection);
await prepareSession(client);
await beginReading(client);
const snapshot = await readSnapshot(client);
process.send?.({ ready: true });
await once(process, 'message');

const cpu = process.cpuUsage();
const s3 = s3Client(job.store);
const kms = kmsClient(job.store);
const place = { s3, bucket: job.store.bucket, keyring: kmsKeyring(kms, job.store.keyArn), compression };
const backupId = backupIdSchema.parse(job.backupId);
const shard = shardNameSchema.parse('bench');
const objects: StoredObject[] = [];
let textBytes = 0;
let storedBytes = 0;
for (const work of job.items) {
  const deps = { place, clock: systemClock, attempt: 'bench' };
  const copied = await copyChunk(deps, client, { backupId, shard, origin: { ...origin, snapshot }, work });
  objects.push(...copied.objects);
  textBytes += copied.bytesRead;
  storedBytes += copied.bytesStored;
}
s3.destroy();
kms.destroy();
const { user, system } = process.cpuUsage(cpu);
const result: Result = {
  objects,
  textBytes,
  storedBytes,
  cpuSeconds: (user + system) / 1e6,
  peakRssBytes: ownPeakBytes(),
};
process.send?.(result);
await rollback(client);
await client.end();
