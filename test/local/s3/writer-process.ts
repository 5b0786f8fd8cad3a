import { createHash } from 'node:crypto';
import { setInterval } from 'node:timers';
import { ensureBucketRecord } from '../../../local/s3/store/bucket-rules.ts';
import { completeUpload, putPart } from '../../../local/s3/store/multipart.ts';
import { ObjectStore } from '../../../local/s3/store/object-store.ts';

// Writes objects, replaces and deletes them as fast as it can until it is killed, and tells its
// parent of each one that has been stored. An object's entity tag is the SHA-256 of its bytes.

const [directory = '', round = ''] = process.argv.slice(2);
const store = new ObjectStore(directory, Date.now, () => undefined);
const bucket = 'bucket';
ensureBucketRecord(store, { name: bucket });
const cause = { reason: 'test', requestId: 'test', requester: 'test' };
const attributes = {
  headers: {},
  metadata: {},
  tags: {},
  encryption: { algorithm: 'AES256' as const },
  legalHold: false,
};

async function* pieces(seed: string) {
  for (let i = 0; i < 40; i++) {
    yield Buffer.alloc(65_536, `${seed} ${i}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function stage(seed: string) {
  const hash = createHash('sha256');
  const file = await store.blobs.stage(pieces(seed), (chunk) => hash.update(chunk));
  return { file, etag: hash.digest('hex') };
}

async function put(key: string, seed: string): Promise<string> {
  const { file, etag } = await stage(seed);
  store.put(
    bucket,
    { key, createdAt: Date.now(), size: file.size, etag, storageClass: 'STANDARD', attributes },
    [file],
    { cause },
  );
  return etag;
}

async function work(worker: number): Promise<never> {
  for (let i = 0; ; i++) {
    const key = `${round}/${worker}/${i}`;
    process.send?.({ key, etag: await put(key, key) });
    if (i % 5 === 4) {
      process.send?.({ key });
      store.delete(bucket, key, { cause });
    }
    await put(`${round}/${worker}/replaced`, String(i));
    if (i % 3 === 0) await upload(`${round}/${worker}/parts`);
  }
}

async function upload(key: string): Promise<void> {
  const started = store.uploads.create({
    bucket,
    key,
    createdAt: Date.now(),
    storageClass: 'STANDARD',
    attributes,
    checksum: { algorithm: 'CRC64NVME', type: 'FULL_OBJECT' },
    checksumChosen: false,
  });
  const { file, etag } = await stage(key);
  const part = {
    number: 1,
    etag: etag.slice(0, 32),
    checksum: { algorithm: 'CRC64NVME', type: 'FULL_OBJECT', value: 'AAAAAAAAAAA=' } as const,
    createdAt: Date.now(),
    ...file,
  };
  putPart(store, started, part);
  completeUpload(store, started, [{ number: 1, etag: part.etag }], {}, { condition: {}, cause });
}

process.once('disconnect', () => process.exit());
setInterval(() => undefined, 60_000);
for (let worker = 0; worker < 4; worker++) void work(worker);
