import { randomUUID } from 'node:crypto';
import { CreateBucketCommand, GetObjectRetentionCommand } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { answerErrors } from '../../../../functions/recovery/api-problems.ts';
import { automationBodySchema } from '../../../../functions/recovery/automation/model.ts';
import { isoTime } from '../../../../functions/recovery/clock.ts';
import {
  BackupLockedError,
  BackupReferredToError,
} from '../../../../functions/recovery/expiry/delete-backup.ts';
import { lockObjects } from '../../../../functions/recovery/expiry/lock-objects.ts';
import { namedObjects } from '../../../../functions/recovery/expiry/named-objects.ts';
import { settleLock } from '../../../../functions/recovery/expiry/settle-retention.ts';
import { type BackupId, backupIdSchema } from '../../../../functions/recovery/ids.ts';
import { ManifestStore } from '../../../../functions/recovery/manifest/manifest-store.ts';
import { Bucket, type ObjectVersion } from '../../../../functions/recovery/objects/bucket.ts';
import { Problem } from '../../../../functions/shared/problem.ts';
import { ImportRun } from '../import/support/import-run.ts';
import { Shelf } from './support/shelf.ts';

let shelf: Shelf;
const day = 86_400_000;

beforeAll(async () => {
  shelf = await Shelf.open();
  // S3 compares with its own clock.
  shelf.now = Math.floor(Date.now() / 1000) * 1000;
  const name = `locked-${randomUUID()}`;
  await shelf.world.s3.send(new CreateBucketCommand({ Bucket: name, ObjectLockEnabledForBucket: true }));
  shelf.bucket = new Bucket(shelf.world.s3, name);
  await shelf.rules.seed({ ...automationBodySchema.parse({}), changedAt: isoTime(shelf.now) });
});
afterEach(() => shelf.world.aws.endpoint.faults.clear());
afterAll(() => shelf?.world.close());

const deps = (mode: 'GOVERNANCE' | 'COMPLIANCE' = 'GOVERNANCE') => ({
  ...{ retention: shelf.retention, bucket: shelf.bucket, mode },
});
const lock = async (id: BackupId, days: number, mode?: 'GOVERNANCE' | 'COMPLIANCE') =>
  lockObjects(deps(mode), await shelf.manifest(id), days);
const retentionOf = async ({ key, versionId }: ObjectVersion) => {
  const { Retention } = await shelf.world.s3.send(
    new GetObjectRetentionCommand({ Bucket: shelf.bucket.name, Key: key, VersionId: versionId ?? undefined }),
  );
  return [Retention?.Mode, Retention?.RetainUntilDate?.getTime()];
};
const lockedUntil = async (id: BackupId) => (await shelf.world.catalog.get(id))?.lockedUntil;

describe('a backup that is locked on request', () => {
  it('is locked in all that its manifest names, the manifest too, from its commit', async () => {
    const id = await shelf.begin(0);
    const objects = [await shelf.store(id, 'one'), await shelf.store(id, 'other')];
    await shelf.commit(id, objects);
    const until = shelf.now + 7 * day;
    expect(await lock(id, 7)).toBe(isoTime(until));
    const manifest = await shelf.manifest(id);
    expect(await Promise.all([...objects, manifest].map(retentionOf))).toEqual([
      ['GOVERNANCE', until],
      ['GOVERNANCE', until],
      ['GOVERNANCE', until],
    ]);
    expect(await lockedUntil(id)).toBe(isoTime(until));
    expect(await lock(id, 7)).toBe(isoTime(until));
  });

  it('locks what it refers to of others for as long, never for less, and says so of them', async () => {
    const full = await shelf.begin(0);
    const [shared, own] = [await shelf.store(full, 'shared'), await shelf.store(full, 'own')];
    await shelf.commit(full, [shared, own]);
    await lock(full, 5, 'COMPLIANCE');
    const incremental = await shelf.begin(0);
    await shelf.refer(incremental, full);
    await shelf.commit(incremental, [shared]);
    await lock(incremental, 3);
    expect(await retentionOf(shared)).toEqual(['COMPLIANCE', shelf.now + 5 * day]);
    await lock(incremental, 9);
    expect(await retentionOf(shared)).toEqual(['COMPLIANCE', shelf.now + 9 * day]);
    expect(await retentionOf(own)).toEqual(['COMPLIANCE', shelf.now + 5 * day]);
    expect([await lockedUntil(full), await lockedUntil(incremental)]).toEqual([
      isoTime(shelf.now + 9 * day),
      isoTime(shelf.now + 9 * day),
    ]);
  });

  it('is said to be locked before it is, so that a crash in between promises nothing too little', async () => {
    const id = await shelf.complete(0);
    shelf.world.aws.endpoint.faults.add({
      ...{ service: 's3', operation: 'PutObjectRetention', times: 9 },
      error: { status: 500, code: 'InternalError' },
    });
    await expect(lock(id, 7)).rejects.toThrow('PutObjectRetention');
    expect(await lockedUntil(id)).toBe(isoTime(shelf.now + 7 * day));
    shelf.world.aws.endpoint.faults.clear();
    await lock(id, 7);
    expect((await retentionOf(await shelf.manifest(id)))[1]).toBe(shelf.now + 7 * day);
  });

  it('cannot be deleted before, and says until when', async () => {
    const id = await shelf.complete(0, { lockDays: 7 });
    const settle = { ...deps(), catalog: shelf.world.catalog, rules: shelf.rules, defaultLockDays: 0 };
    await settleLock(settle, await shelf.manifest(id));
    await expect(shelf.delete(id)).rejects.toMatchObject({ lockedUntil: isoTime(shelf.now + 7 * day) });
    expect(await shelf.state(id)).toBe('completed');
  });

  it('does not expire before, and is not left half deleted', async () => {
    const id = await shelf.complete(90);
    await lock(id, 91);
    await shelf.complete(0);
    expect((await shelf.expire()).expired).toEqual([]);
    // Locked by hand: the catalogue does not know.
    await shelf.world.table.set({ pk: `BACKUP#${id}`, sk: 'META' }, { lockedUntil: isoTime(0) });
    expect((await shelf.expire()).expired).toContain(id);
    expect(await shelf.sweep(id)).toMatchObject({ objectsRemoved: 0, remaining: true });
    expect([await shelf.state(id), await shelf.count(id)]).toEqual(['expired', 2]);
  });
});

describe('an import', () => {
  const imported = async (keeping: { keepDays?: number | null; lockDays?: number }) => {
    const { world, bucket } = shelf;
    const { name } = bucket;
    const manifests = new ManifestStore(bucket, world.kms, world.keys.mac);
    const place = { ...world.place, bucket: name };
    const run = new ImportRun(
      { ...world, bucket, manifests, place, verifyPlace: { ...world.verifyPlace, bucket } },
      shelf.clock,
    );
    await run.complete(Buffer.from('a dump'), {}, keeping);
    return { id: run.id, record: await run.record() };
  };

  it('is kept as long as was asked for, and locked in all that its manifest names', async () => {
    const { id, record } = await imported({ keepDays: 9, lockDays: 7 });
    const until = isoTime(shelf.now + 7 * day);
    expect(record).toMatchObject({
      ...{ keptBy: 'request', keepUntil: isoTime(shelf.now + 9 * day), lockedUntil: until },
    });
    const manifest = await shelf.manifest(id);
    const objects = [manifest, ...namedObjects(manifest.manifest)];
    expect(objects).toHaveLength(2);
    for (const object of objects) {
      expect(await retentionOf(object)).toEqual(['GOVERNANCE', Date.parse(until)]);
    }
    await expect(shelf.delete(id)).rejects.toMatchObject({ lockedUntil: until });
  });

  it('is kept until it is deleted where nobody has said how long, whatever the rule says of backups', async () => {
    const { id, record } = await imported({ keepDays: null });
    expect([record?.keptBy, record?.keepUntil]).toEqual(['request', undefined]);
    const before = shelf.now;
    shelf.now += 10_000 * day;
    expect((await shelf.expire()).expired).not.toContain(id);
    shelf.now = before;
  });
});

describe('the default retention of the bucket', () => {
  it('counts from the end of a backup, also where the catalogue does not know of it', async () => {
    const id = await shelf.complete(2);
    const until = isoTime(shelf.now + day);
    await expect(shelf.delete(id, 3)).rejects.toMatchObject({ lockedUntil: until });
    await expect(shelf.delete(id, 3)).rejects.toThrow(`until ${until}`);
    const settle = { ...deps(), catalog: shelf.world.catalog, rules: shelf.rules, defaultLockDays: 3 };
    await settleLock(settle, await shelf.manifest(id));
    expect(await lockedUntil(id)).toBe(until);
    shelf.now += day;
    expect(await shelf.delete(id, 3)).toBe(true);
  });
});

describe('the API', () => {
  it('says in a member of its answer until when a lock holds, and who refers to a backup', async () => {
    const answer = (error: Error) =>
      answerErrors(async () => {
        throw error;
      }).catch((problem) => (problem instanceof Problem ? problem.toDetails() : problem));
    const lockedUntil = '2026-12-01T00:00:00.000Z';
    expect(await answer(new BackupLockedError(lockedUntil))).toMatchObject({
      ...{ status: 409, lockedUntil, detail: expect.stringContaining(lockedUntil) },
    });
    const dependents = [backupIdSchema.parse('b-1')];
    expect(await answer(new BackupReferredToError(dependents))).toMatchObject({
      ...{ status: 409, dependents, detail: expect.stringContaining('b-1') },
    });
  });
});
