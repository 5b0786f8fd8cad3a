import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { DisableKeyCommand, EnableKeyCommand } from '@aws-sdk/client-kms';
import { ListMultipartUploadsCommand, ListObjectVersionsCommand } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ulid } from 'ulid';
import { RestoreCatalog } from '../../../../functions/recovery/catalog/restore-catalog.ts';
import { RestoreNotes } from '../../../../functions/recovery/catalog/restore-notes.ts';
import type { RestoreRecord } from '../../../../functions/recovery/catalog/restore-record.ts';
import { systemClock } from '../../../../functions/recovery/clock.ts';
import { type BackupId, operationIdSchema, restoreIdSchema } from '../../../../functions/recovery/ids.ts';
import { cancelWaiting, failAbandoned } from '../../../../functions/recovery/import/abandoned.ts';
import { restoreSegmentSchema } from '../../../../functions/recovery/import/restore-events.ts';
import {
  completeImportRestore,
  planImportRestore,
  restoreSegment,
} from '../../../../functions/recovery/import/restore-import.ts';
import {
  compressSegment,
  encryptSegment,
  verifySegment,
} from '../../../../functions/recovery/import/segment-stages.ts';
import { startOnUpload } from '../../../../functions/recovery/import/start-on-upload.ts';
import { beginParts, completeParts, signUploads } from '../../../../functions/recovery/import/uploads.ts';
import { backupPrefix, uploadKey, workPrefix } from '../../../../functions/recovery/objects/object-keys.ts';
import { verifyObject } from '../../../../functions/recovery/objects/verify-object.ts';
import { planVerification } from '../../../../functions/recovery/verification/plan-verification.ts';
import { DependencyError } from '../../../../functions/shared/dependency.ts';
import { traceparent } from '../support/run-backup.ts';
import { type Aws, startAwsWorld } from '../support/world.ts';
import { customDump, mongoArchive, tarOf } from './support/dumps.ts';
import { Executions, ImportRun, segmentBytes, signingS3 } from './support/import-run.ts';

jest.setTimeout(60_000);

let world: Aws;
beforeAll(async () => {
  world = await startAwsWorld();
});
afterEach(() => world.aws.endpoint.faults.clear());
afterAll(() => world?.close());

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
const rows = (bytes: number) => Buffer.alloc(bytes, 'one row after the other\n');

/** Everything that is stored below a prefix: versions, delete markers, unfinished uploads. */
async function stored(prefix: string): Promise<string[]> {
  const place = { Bucket: world.bucket.name, Prefix: prefix };
  const { Versions = [], DeleteMarkers = [] } = await world.s3.send(new ListObjectVersionsCommand(place));
  const { Uploads = [] } = await world.s3.send(new ListMultipartUploadsCommand(place));
  return [...Versions, ...DeleteMarkers, ...Uploads].map(({ Key = '' }) => Key);
}

async function leftovers(id: BackupId): Promise<string[]> {
  return [...(await stored(uploadKey(id))), ...(await stored(workPrefix(id)))];
}

async function restoreOf(backupId: BackupId) {
  const id = restoreIdSchema.parse(ulid());
  const restores = new RestoreCatalog(world.table);
  await restores.create({
    ...{ id, backupId, mode: 'new', dryRun: false, shards: [], requestedBy: 'test', traceparent },
    createdAt: new Date().toISOString(),
  });
  const deps = {
    restores,
    backups: world.catalog,
    notes: new RestoreNotes(world.table, id),
    manifests: world.manifests,
    place: world.verifyPlace,
    clock: systemClock,
  };
  const planned = await planImportRestore(deps, id, `arn:test:${id}`);
  const items = await world.bucket.readText({ key: planned.key, versionId: null });
  const segments = restoreSegmentSchema.array().parse(JSON.parse(items?.text ?? ''));
  return { id, deps, planned, segments };
}

async function restored(backupId: BackupId): Promise<{ record: RestoreRecord; content: Buffer }> {
  const { id, deps, planned, segments } = await restoreOf(backupId);
  for (const segment of segments.toReversed()) await restoreSegment(deps, planned.target, segment);
  const { record } = await completeImportRestore(deps, id, planned.target);
  const [object] = record.objects ?? [];
  const answer = await world.bucket.open({ key: object?.key ?? '', versionId: null });
  if (!(answer?.Body instanceof Readable)) throw new Error('Nothing was restored');
  return { record, content: await buffer(answer.Body) };
}

describe('an import', () => {
  const big = randomBytes(segmentBytes);
  it.each([
    ['of one byte', Buffer.from('x')],
    ['of one segment less a byte', rows(segmentBytes - 1)],
    ['of one segment', mongoArchive(rows(segmentBytes - 4))],
    ['of one segment and a byte', Buffer.concat([big, Buffer.from('y')])],
    [
      'of two segments, of which one is worth compressing',
      customDump(Buffer.concat([rows(segmentBytes), big]), 0),
    ],
    ['that came compressed', gzipSync(tarOf('a.sql', rows(3_000_000)))],
  ])('%s comes back as it was, and leaves nothing behind', async (_, dump) => {
    const run = new ImportRun(world);
    const { record, manifest } = await run.complete(dump, { sha256: sha256(dump), sizeBytes: dump.length });
    expect(record).toMatchObject({
      state: 'completed',
      type: 'import',
      import: {
        sha256: sha256(dump),
        sizeBytes: dump.length,
        segments: Math.ceil(dump.length / segmentBytes),
      },
      progress: { stage: 'done', bytesRead: dump.length, bytesStored: record.sizeBytes },
    });
    expect(manifest.manifest).toMatchObject({ type: 'import', shards: [], import: { name: 'shop.dump' } });
    expect(await leftovers(run.id)).toEqual([]);
    const { record: restore, content } = await restored(run.id);
    expect(content.equals(dump)).toBe(true);
    expect(restore).toMatchObject({
      state: 'completed',
      objects: [{ key: expect.stringMatching(/^scratch\/\w+\/shop\.dump$/), sha256: sha256(dump) }],
    });
  });

  it('compresses what becomes smaller, and stores as it came what does not', async () => {
    const packed = await new ImportRun(world).complete(gzipSync(rows(1_000_000)));
    expect(packed.manifest.manifest.import?.segments.map(({ compression }) => compression)).toEqual(['none']);
    const mixed = await new ImportRun(world).complete(Buffer.concat([rows(segmentBytes), big]));
    expect(mixed.manifest.manifest.import?.segments.map(({ compression }) => compression)).toEqual([
      'zstd',
      'none',
    ]);
  });

  it('is verified like any backup: each segment is an object, and a flipped bit is found in the one it is in', async () => {
    const run = new ImportRun(world);
    const { manifest } = await run.complete(Buffer.concat([big, rows(2_000_000)]));
    const operationId = operationIdSchema.parse(ulid());
    const { catalog, operations, manifests, bucket } = world;
    const createdAt = new Date().toISOString();
    await operations.create({ id: operationId, kind: 'verify', backupId: run.id, traceparent, createdAt });
    const input = { traceparent, backupId: run.id, mode: 'full' as const, keys: 'kms' as const };
    await planVerification(
      { catalog, operations, manifests, bucket },
      { operationId, executionArn: 'a', input },
    );
    expect((await operations.get(operationId))?.objectsTotal).toBe(3);

    const [first, second] = manifest.manifest.import?.segments ?? [];
    if (first === undefined || second === undefined) throw new Error('There are no two segments');
    expect(await verifyObject(world.verifyPlace, first, 'full')).toEqual({});
    await world.flipBit(second);
    expect((await verifyObject(world.verifyPlace, first, 'full')).problem).toBeUndefined();
    expect((await verifyObject(world.verifyPlace, second, 'full')).problem).toMatchObject({
      problem: 'hash-mismatch',
    });
    const { deps, planned, segments } = await restoreOf(run.id);
    const damaged = segments[1];
    if (damaged === undefined) throw new Error('There is no second segment');
    await expect(restoreSegment(deps, planned.target, damaged)).rejects.toThrow(second.key);
  });

  it('reads the hash of the whole in as many invocations as it takes', async () => {
    const run = new ImportRun(world);
    const dump = randomBytes(300_000);
    await run.begin({ sha256: sha256(dump) });
    await run.put(dump);
    await run.plan();
    expect(await run.digest(() => 0)).toBeGreaterThan(1);
    expect(await run.imports.digest()).toBe(sha256(dump));
  });

  it.each([
    ['of another SHA-256', { sha256: 'f'.repeat(64) }, 'announced'],
    ['that is truncated', { sizeBytes: 9_999_999 }, '9999999 were announced'],
    ['of another format', { format: 'tar' as const }, 'format pg_dump-custom, not tar'],
  ])('of an upload %s is refused, and nothing of it stays', async (_, announced, message) => {
    const run = new ImportRun(world);
    await run.begin(announced);
    await run.put(customDump(rows(100_000), 0));
    const work = async () => {
      for (const item of await run.plan()) await run.segment(item);
      await run.digest();
      await run.commit();
    };
    await expect(work()).rejects.toThrow(message);
    await expect(work()).rejects.toMatchObject({ name: expect.stringMatching(/UploadMismatch/) });
    expect(await stored(`${backupPrefix(run.id)}manifest.json`)).toEqual([]);
  });

  it('of an empty upload is refused', async () => {
    const run = new ImportRun(world);
    await run.begin();
    await run.put(Buffer.alloc(0));
    await expect(run.plan()).rejects.toThrow('empty');
  });

  it('says that KMS failed while the key is disabled, and goes on when it is not', async () => {
    const run = new ImportRun(world);
    await run.begin();
    await run.put(rows(1_000));
    const [work] = await run.plan();
    if (work === undefined) throw new Error('There is no work');
    const compressed = await compressSegment(run.parts, work);
    await world.kms.send(new DisableKeyCommand({ KeyId: world.verifyPlace.keyArn }));
    const failing = encryptSegment(run.parts, compressed);
    await expect(failing).rejects.toThrow(DependencyError);
    await expect(failing).rejects.toThrow(/KMS.*disabled/i);
    await world.kms.send(new EnableKeyCommand({ KeyId: world.verifyPlace.keyArn }));
    await expect(encryptSegment(run.parts, compressed)).resolves.toMatchObject({ index: 0 });
  });

  it('survives that every state of a segment runs again, and a commit that was not heard of', async () => {
    const run = new ImportRun(world);
    const dump = rows(400_000);
    await run.begin();
    await run.put(dump);
    const [work] = await run.plan();
    if (work === undefined) throw new Error('There is no work');
    await run.store(work);
    const again = await run.store(work);
    await verifySegment(run.parts, again);
    await verifySegment(run.parts, again);
    await run.digest();
    const once = await run.commit();
    const twice = await run.commit();
    expect(twice.manifest.sha256).toBe(once.manifest.sha256);
    expect((await restored(run.id)).content.equals(dump)).toBe(true);
  });

  it('is not committed without all of its segments, nor before it was read to its end', async () => {
    const run = new ImportRun(world);
    await run.begin();
    await run.put(Buffer.concat([rows(segmentBytes), rows(100)]));
    const [, last] = await run.plan();
    if (last === undefined) throw new Error('There is no second segment');
    await run.segment(last);
    await expect(run.commit()).rejects.toThrow('was not read to its end');
    await run.digest();
    await expect(run.commit()).rejects.toThrow('1 of 2 segments');
    expect(await stored(`${backupPrefix(run.id)}manifest.json`)).toEqual([]);
  });

  it('finds a segment whose content is not that of the upload', async () => {
    const run = new ImportRun(world);
    await run.begin();
    await run.put(rows(1_000));
    const [work] = await run.plan();
    if (work === undefined) throw new Error('There is no work');
    const segment = await run.store(work);
    await expect(verifySegment(run.parts, { ...segment, plainSha256: '0'.repeat(64) })).rejects.toThrow(
      'not that of the upload',
    );
  });
});

describe('an upload', () => {
  const place = () => ({ s3: signingS3(world), bucket: world.bucket.name });
  const now = () => ({ seconds: 600, now: Date.now() });

  it('is put where the URL says, and nowhere else', async () => {
    const run = new ImportRun(world);
    const { url } = await signUploads(place(), run.id, { announced: {} }, now());
    const answer = await fetch(url ?? '', { method: 'PUT', body: 'the dump' });
    expect(answer.status).toBe(200);
    expect(await stored(uploadKey(run.id))).toEqual([uploadKey(run.id)]);
    const other = (url ?? '').replace(run.id, new ImportRun(world).id);
    expect((await fetch(other, { method: 'PUT', body: 'x' })).status).toBe(403);
    expect((await fetch(url ?? '')).status).toBe(403);
    const [head = ''] = (url ?? '').split('?');
    expect((await fetch(head, { method: 'PUT', body: 'x' })).status).toBe(403);
  });

  it('above what S3 takes at once comes in parts, in any order, and is completed once', async () => {
    const { id } = new ImportRun(world);
    const dump = Buffer.concat([randomBytes(segmentBytes), Buffer.from('the rest')]);
    const uploadId = await beginParts(place(), id);
    const multipart = { uploadId, partBytes: segmentBytes };
    const announced = { sizeBytes: dump.length };
    const { parts, url } = await signUploads(place(), id, { announced, multipart }, now());
    expect(url).toBeNull();
    const done: { partNumber: number; etag: string }[] = [];
    for (const { partNumber, url: partUrl } of (parts ?? []).toReversed()) {
      const body = dump.subarray((partNumber - 1) * segmentBytes, partNumber * segmentBytes);
      const answer = await fetch(partUrl, { method: 'PUT', body });
      done.push({ partNumber, etag: answer.headers.get('etag') ?? '' });
    }
    expect(done).toHaveLength(2);
    const wrong = [{ partNumber: 1, etag: '0'.repeat(32) }];
    expect(await completeParts(place(), id, uploadId, wrong)).toMatchObject({
      wrongParts: expect.any(String),
    });
    expect(await completeParts(place(), id, uploadId, done)).toBe('completed');
    expect(await completeParts(place(), id, uploadId, done)).toMatch(/^(completed|gone)$/);
    expect(await world.bucket.look({ key: uploadKey(id), versionId: null })).toMatchObject({
      bytes: dump.length,
    });
  });

  it('starts one import, however often and in whatever order it is reported', async () => {
    const run = new ImportRun(world);
    await run.begin();
    const executions = new Executions();
    const deps = { catalog: world.catalog, stepFunctions: executions.client, stateMachineArn: 'arn:machine' };
    const event = (key: string, version: string) => ({
      'detail-type': 'Object Created' as const,
      detail: { object: { key, 'version-id': version } },
    });
    const second = event(uploadKey(run.id), 'v2');
    expect(await startOnUpload(deps, second)).toBe('started');
    expect(await startOnUpload(deps, second)).toBe('nothing-to-do');
    expect(await startOnUpload(deps, event(uploadKey(run.id), 'v1'))).toBe('nothing-to-do');
    expect(await startOnUpload(deps, event(`uploads/${ulid()}`, 'v1'))).toBe('nothing-to-do');
    expect(await startOnUpload(deps, event(`uploads/${run.id}/more`, 'v1'))).toBe('nothing-to-do');
    expect(executions.started).toEqual([run.id]);
    expect((await run.record())?.executionArn).toBe(`arn:test:${run.id}`);
  });

  it('that never comes fails its import in time, and not before; one that is canceled ends at once', async () => {
    const run = new ImportRun(world);
    await run.begin();
    const record = async () => {
      const found = await run.record();
      if (found === undefined) throw new Error('There is no record');
      return found;
    };
    expect(await failAbandoned(world.catalog, await record(), Date.now() + 23 * 3_600_000)).toBe(false);
    expect(await failAbandoned(world.catalog, await record(), Date.now() + 25 * 3_600_000)).toBe(true);
    expect(await record()).toMatchObject({ state: 'failed', error: { code: 'UploadMissing' } });

    const other = new ImportRun(world);
    await other.begin();
    await world.catalog.requestCancel(other.id);
    const waiting = await other.record();
    if (waiting !== undefined) await cancelWaiting(world.catalog, waiting, Date.now());
    expect((await other.record())?.state).toBe('canceled');
  });
});
