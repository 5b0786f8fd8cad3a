import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { systemClock } from '../../functions/recovery/clock.ts';
import { copyFiles } from '../../functions/recovery/files/copy-files.ts';
import { FilesDivider } from '../../functions/recovery/files/divide-files.ts';
import type { FilesItemRecord } from '../../functions/recovery/files/files-catalog.ts';
import { filesItemKey } from '../../functions/recovery/files/keys.ts';
import { listFiles } from '../../functions/recovery/files/list-files.ts';
import type { FilesItem } from '../../functions/recovery/files/model.ts';
import { backupIdSchema } from '../../functions/recovery/ids.ts';
import { Bucket } from '../../functions/recovery/objects/bucket.ts';
import { verifyObject } from '../../functions/recovery/objects/verify-object.ts';
import { leave } from '../../functions/recovery/objects/work-objects.ts';
import { kmsKeyring } from '../../functions/recovery/stages/encrypt.ts';
import { kmsClient, s3Client } from '../backup/store.ts';
import { compression } from '../backup/store-items.ts';
import { ownPeakBytes } from '../measure/own-process.ts';
import { type FilesResult, jobSchema } from './job.ts';

/** One process that lists a bucket and copies its files as the functions do, without the catalogue's writes. */
const [message] = await once(process, 'message');
const { store, assets, verify } = jobSchema.parse(message);
const s3 = s3Client(store);
const kms = kmsClient(store);
const bucket = new Bucket(s3, store.bucket);
const source = { s3, bucket: assets };
const place = { s3, bucket: store.bucket, keyring: kmsKeyring(kms, store.keyArn), compression };
const backupId = backupIdSchema.parse(randomUUID());
const noted = new Map<number, FilesItemRecord>();
const files = {
  putItem: async (record: Omit<FilesItemRecord, 'signature'>) => {
    noted.set(record.item, { ...record, signature: '' });
    return true;
  },
  getItem: async (item: number) => noted.get(item),
};
process.send?.({ ready: true });
await once(process, 'message');

const cpu = process.cpuUsage();
const result: FilesResult = {
  files: 0,
  objects: 0,
  bytes: 0,
  storedBytes: 0,
  cpuSeconds: 0,
  peakRssBytes: 0,
};
const copy = async (content: FilesItem): Promise<void> => {
  const item = noted.size;
  const work = await leave(bucket, filesItemKey(backupId, item, 'todo'), content);
  const deps = { source, place, bucket, files, clock: systemClock, attempt: 'bench' };
  const record = await copyFiles(deps, backupId, { item, work });
  result.files += record.files;
  result.objects += record.objects.length;
  result.bytes += record.bytesRead;
  result.storedBytes += record.bytesStored;
  if (!verify) return;
  for (const object of record.objects) {
    const { problem } = await verifyObject({ bucket, kms, keyArn: store.keyArn }, object, 'full');
    if (problem !== undefined) throw new Error(`${object.key}: ${problem.detail}`);
  }
};
const divider = new FilesDivider();
let position: Awaited<ReturnType<typeof listFiles>>['next'];
do {
  const page = await listFiles(s3, assets, position);
  for (const file of page.files) for (const item of divider.add(file)) await copy(item);
  position = page.next;
} while (position !== undefined);
for (const item of divider.finish()) await copy(item);
const { user, system } = process.cpuUsage(cpu);
result.cpuSeconds = (user + system) / 1e6;
result.peakRssBytes = ownPeakBytes();
s3.destroy();
kms.destroy();
process.send?.(result);
