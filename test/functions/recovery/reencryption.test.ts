import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { DisableKeyCommand, EnableKeyCommand } from '@aws-sdk/client-kms';
import { CreateBucketCommand, GetObjectRetentionCommand } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { backupPartition } from '../../../functions/recovery/catalog/backup-catalog.ts';
import { endUnstarted } from '../../../functions/recovery/catalog/end-unstarted.ts';
import { RestoreCatalog } from '../../../functions/recovery/catalog/restore-catalog.ts';
import { ShardLocks } from '../../../functions/recovery/catalog/shard-locks.ts';
import { isoTime, systemClock } from '../../../functions/recovery/clock.ts';
import { deleteBackup } from '../../../functions/recovery/expiry/delete-backup.ts';
import { lockObjects } from '../../../functions/recovery/expiry/lock-objects.ts';
import { RetentionCatalog } from '../../../functions/recovery/expiry/retention-catalog.ts';
import { readIndex } from '../../../functions/recovery/files/read-index.ts';
import { type BackupId, backupIdSchema, restoreIdSchema } from '../../../functions/recovery/ids.ts';
import { ensureEscrow } from '../../../functions/recovery/keys/ensure-escrow.ts';
import { escrowOpener } from '../../../functions/recovery/keys/escrow-of.ts';
import { EscrowStore } from '../../../functions/recovery/keys/escrow-store.ts';
import { PassphraseKeys } from '../../../functions/recovery/keys/passphrase-keys.ts';
import { EscrowSeal } from '../../../functions/recovery/keys/seal.ts';
import { SealedKeys } from '../../../functions/recovery/keys/sealed-keys.ts';
import { ManifestStore } from '../../../functions/recovery/manifest/manifest-store.ts';
import { objectsOf } from '../../../functions/recovery/manifest/objects-of.ts';
import { Bucket } from '../../../functions/recovery/objects/bucket.ts';
import { reencryptedPrefix } from '../../../functions/recovery/objects/object-keys.ts';
import { readVerified, verifyObject } from '../../../functions/recovery/objects/verify-object.ts';
import { newId } from '../../../functions/shared/ids.ts';
import { entriesOf, FilesRun, makeBucket, put } from './files/support.ts';
import { segmentBytes } from './import/support/import-run.ts';
import { cheap } from './keys/support.ts';
import { expected, ReencryptedBackups, sha256 } from './support/reencrypted-backups.ts';
import { closeRuns, Killed } from './support/reencryption-run.ts';
import { traceparent } from './support/run-backup.ts';
import { type Standby, startStandby } from './support/standby.ts';
import { storedVersions } from './support/stored-versions.ts';
import type { Aws } from './support/world.ts';

jest.setTimeout(60_000);

let standby: Standby;
let world: Aws;
const hour = 3_600_000;
const day = 24 * hour;
/** Of two segments. */
const large = Buffer.concat([Buffer.alloc(segmentBytes, 'one row after the other\n'), randomBytes(1_000)]);
let backup: ReencryptedBackups['backup'];
let reencryption: ReencryptedBackups['reencryption'];
let committed: ReencryptedBackups['committed'];
let content: ReencryptedBackups['content'];
let reserved: ReencryptedBackups['reserved'];

beforeAll(async () => {
  standby = await startStandby();
  ({ world } = standby);
  ({ backup, reencryption, committed, content, reserved } = new ReencryptedBackups(world));
});
const disabled: string[] = [];
const disable = async (KeyId: string) => {
  await world.kms.send(new DisableKeyCommand({ KeyId }));
  disabled.push(KeyId);
};
afterEach(async () => {
  world.aws.endpoint.faults.clear();
  for (const KeyId of disabled.splice(0)) await world.kms.send(new EnableKeyCommand({ KeyId }));
});
afterAll(() => {
  closeRuns();
  return standby?.close();
});

describe('a backup that is re-encrypted', () => {
  it('is what it was, under the present key alone, and nothing else is left', async () => {
    const id = await backup(world, large);
    const before = await committed(id);
    const { other } = world.keys;
    const result = await reencryption(id, { keyArn: other }).complete();
    const after = await committed(id);
    expect(result).toMatchObject({
      ...{ objects: 2, keyArn: other, escrow: null, waiting: false, locked: 0, oldKeysNeededUntil: null },
      // Two segments and the manifest.
      ...{ removed: 3, storedBytes: after.totals.storedBytes },
    });
    await disable(world.verifyPlace.keyArn);
    expect(await content(id, other)).toBe(sha256(large));
    await world.kms.send(new EnableKeyCommand({ KeyId: world.verifyPlace.keyArn }));
    for (const [index, object] of objectsOf(before).entries()) {
      const now = objectsOf(after)[index];
      expect(now).toMatchObject({
        context: object.context,
        plainBytes: object.plainBytes,
        kind: object.kind,
      });
      expect(now?.sha256).not.toBe(object.sha256);
      expect((await verifyObject(world.verifyPlace, object, 'hash')).problem?.problem).toBe('missing');
    }
    expect(await storedVersions(world.bucket, id)).toHaveLength(3);
    expect(await reserved(id)).toBe('none');
    expect((await world.catalog.get(id))?.sizeBytes).toBe(after.totals.storedBytes);
  });

  it('has its files where the list of them says', async () => {
    const source = makeBucket(world);
    for (const name of ['a', 'b']) await put(source, `${name}.txt`, name);
    const run = new FilesRun(world, source);
    const before = await entriesOf(world, await run.complete());
    await reencryption(run.id).complete();
    const { files } = await committed(run.id);
    const after: unknown[] = [];
    if (files !== undefined) {
      for await (const entry of readIndex(world.verifyPlace, files.index)) after.push(entry);
      for (const object of files.objects)
        expect(await verifyObject(world.verifyPlace, object, 'full')).toEqual({});
    }
    expect(after).toEqual(before);
    expect(after).toHaveLength(2);
  });

  it('is opened by the passphrase as of now, and by the one before no more', async () => {
    let passphrase = 'correct horse battery staple';
    const store = new EscrowStore(world.bucket);
    const seal = new EscrowSeal(world.kms, world.keys.other);
    const read = async (stage: string) => (stage === 'AWSCURRENT' ? passphrase : undefined);
    const use = () => ensureEscrow({ store, seal, read, clock: systemClock, stretch: cheap });
    await use();
    const id = await backup();
    await reencryption(id, { escrow: new SealedKeys(store, seal) }).complete();
    const [first] = objectsOf(await committed(id));
    passphrase = 'nine lives of a standby region';
    const outcome = await use();
    const result = await reencryption(id, { escrow: new SealedKeys(store, seal) }).complete();
    expect(outcome).toMatchObject({ state: 'made', fingerprint: result.escrow });
    expect(first?.escrow).not.toBe(result.escrow);

    const paper = new PassphraseKeys(store, read, cheap);
    const escrowed = new ManifestStore(world.bucket, world.kms, world.keys.mac, {
      ...{ keys: paper, reads: 'escrow' },
    });
    const place = { ...world.verifyPlace, opener: escrowOpener(paper) };
    for (const object of objectsOf(await committed(id, escrowed))) {
      expect(await verifyObject(place, object, 'full')).toEqual({});
    }
    passphrase = 'correct horse battery staple';
    const old = new PassphraseKeys(store, read, cheap);
    const [object] = objectsOf(await committed(id));
    if (object === undefined) throw new Error('There is no object');
    const opened = await verifyObject({ ...place, opener: escrowOpener(old) }, object, 'full');
    expect(opened.problem?.problem).toBe('not-decryptable');

    // The key that it is stored under is lost: the passphrase opens it, and another key wraps it from then on.
    passphrase = 'nine lives of a standby region';
    await disable(world.verifyPlace.keyArn);
    const { other } = world.keys;
    await expect(reencryption(id, { keyArn: other }).complete()).rejects.toThrow(/disabled/i);
    await world.table.set({ pk: backupPartition(id), sk: 'META' }, { reencrypting: 'none' });
    const opener = escrowOpener(paper);
    await reencryption(id, { keyArn: other, opener, escrow: new SealedKeys(store, seal) }).complete();
    expect(await content(id, other)).toBe(expected);
    await world.kms.send(new EnableKeyCommand({ KeyId: world.verifyPlace.keyArn }));
  });

  it('is read from the copies where the primary keys are lost, and needs neither key nor copy from then on', async () => {
    const { keys, kms, s3, verifyPlace } = world;
    const lost = [verifyPlace.keyArn, keys.mac];
    const name = `kept-${randomUUID()}`;
    world.makeBucket(name, verifyPlace.keyArn);
    const bucket = new Bucket(s3, name);
    const place = { ...world.place, bucket: name };
    const manifests = new ManifestStore(bucket, kms, keys.mac);
    const id = await backup(
      { ...world, bucket, place, manifests, verifyPlace: { ...verifyPlace, bucket } },
      large,
    );
    const [encryption = '', mac = ''] = await Promise.all(lost.map(standby.replicaOf));
    await standby.copyAll();
    for (const KeyId of lost) await disable(KeyId);
    world.makeBucket(name, keys.other);

    const copies = new Bucket(standby.s3, name);
    const from = {
      place: { bucket: copies, kms: standby.kms, keyArn: encryption },
      manifests: new ManifestStore(copies, standby.kms, mac),
    };
    const options = { bucket, keyArn: keys.other, macArn: keys.otherMac };
    const without = reencryption(id, options);
    await expect(without.complete()).rejects.toThrow(/disabled/i);
    const cut = reencryption(id, { ...options, from });
    for (const run of [without, cut]) {
      if (run === cut) await run.start().then(() => run.objects());
      await run.fail();
      run.now += hour;
      // The backup is free again; what is left of it cannot be told from it while its manifest cannot be read.
      await expect(run.sweep()).rejects.toThrow(/disabled/i);
      expect(await reserved(id)).toBe('none');
    }

    const result = await reencryption(id, { ...options, from }).complete();
    expect(result).toMatchObject({ objects: 2, keyArn: keys.other, waiting: false, locked: 0 });
    const now = { bucket, kms, keyArn: keys.other };
    const hash = createHash('sha256');
    const after = await committed(id, new ManifestStore(bucket, kms, keys.otherMac));
    for (const object of objectsOf(after)) {
      expect(await readVerified(now, object, (piece) => void hash.update(piece))).toEqual({});
    }
    expect(hash.digest('hex')).toBe(sha256(large));
    expect(await storedVersions(bucket, id)).toHaveLength(3);
  });

  it('is settled by the sweep when it is killed for good before the catalogue heard of the manifest', async () => {
    const id = await backup();
    const before = (await world.catalog.get(id))?.manifest;
    const run = reencryption(id, { keyArn: world.keys.other });
    await run.start();
    await run.objects();
    run.budget = 1;
    await expect(run.finish()).rejects.toBeInstanceOf(Error);
    run.budget = Number.POSITIVE_INFINITY;
    expect(await run.sweep()).toMatchObject({ remaining: true });
    await run.fail();
    expect(await run.sweep()).toMatchObject({ remaining: true });
    expect(await reserved(id)).toBe(run.id);
    run.now += hour;
    expect(await run.sweep()).toMatchObject({ remaining: false, objectsRemoved: 2 });
    const { manifest } = (await world.catalog.get(id)) ?? {};
    expect(manifest?.sha256).not.toBe(before?.sha256);
    expect(await content(id, world.keys.other)).toBe(expected);
    expect(await storedVersions(world.bucket, id)).toHaveLength(2);
    expect(await reserved(id)).toBe('none');
    expect(await world.catalog.sweepOf(id)).toBeUndefined();
    await reencryption(id, { keyArn: world.keys.other }).start();
  });

  it('keeps what a restore reads until that has ended', async () => {
    const id = await backup();
    const restores = new RestoreCatalog(world.table);
    const restore = restoreIdSchema.parse(newId());
    await restores.create({
      ...{ id: restore, backupId: id, mode: 'new', dryRun: false, shards: [], requestedBy: 'x', traceparent },
      createdAt: isoTime(Date.now()),
    });
    const [object] = objectsOf(await committed(id));
    if (object === undefined) throw new Error('There is no object');
    const run = reencryption(id);
    expect(await run.complete()).toMatchObject({ waiting: true, removed: 0 });
    expect(await run.sweep()).toMatchObject({ remaining: true, objectsRemoved: 0 });
    expect(await verifyObject(world.verifyPlace, object, 'full')).toEqual({});
    await restores.end({ id: restore, attempts: 1 }, 'canceled', { finishedAt: isoTime(Date.now()) });
    expect(await run.sweep()).toMatchObject({ remaining: false, objectsRemoved: 2 });
  });

  it('is as it was where an object is damaged or a key is disabled, and says which', async () => {
    const id = await backup();
    const [object] = objectsOf(await committed(id));
    if (object === undefined) throw new Error('There is no object');
    const run = reencryption(id, { keyArn: world.keys.other });
    await run.start();
    await world.flipBit(object);
    await expect(run.objects()).rejects.toThrow(object.key);
    await world.flipBit(object);
    await disable(world.keys.other);
    await expect(run.objects()).rejects.toThrow(/disabled/i);
    await world.kms.send(new EnableKeyCommand({ KeyId: world.keys.other }));
    await expect(run.finish()).rejects.toThrow('was not re-encrypted');
    expect(await content(id, world.verifyPlace.keyArn)).toBe(expected);
  });
});

describe('a backup under Object Lock', () => {
  it('is locked as long in its new objects; the old ones stay, and it is said until when their key is needed', async () => {
    const name = `locked-${randomUUID()}`;
    await world.s3.send(new CreateBucketCommand({ Bucket: name, ObjectLockEnabledForBucket: true }));
    const bucket = new Bucket(world.s3, name);
    const manifests = new ManifestStore(bucket, world.kms, world.keys.mac);
    const place = { ...world.place, bucket: name };
    const verifyPlace = { ...world.verifyPlace, bucket };
    const id = await backup({ ...world, bucket, manifests, place, verifyPlace });
    const retention = new RetentionCatalog(world.table);
    const stored = await manifests.read(id, null);
    if (stored === undefined) throw new Error('There is no manifest');
    const until = await lockObjects({ retention, bucket, mode: 'GOVERNANCE' }, stored, 7);

    const run = reencryption(id, { keyArn: world.keys.other, bucket });
    expect(await run.complete()).toMatchObject({
      ...{ removed: 0, locked: 2, waiting: false, oldKeysNeededUntil: until },
    });
    const now = await committed(id, manifests);
    const { manifest } = (await world.catalog.get(id)) ?? {};
    for (const object of [...objectsOf(now), { key: manifest?.key, versionId: manifest?.versionId }]) {
      const { Retention } = await world.s3.send(
        new GetObjectRetentionCommand({
          Bucket: name,
          Key: object.key,
          VersionId: object.versionId ?? undefined,
        }),
      );
      expect(Retention).toEqual({ Mode: 'GOVERNANCE', RetainUntilDate: new Date(until) });
    }
    for (const object of objectsOf(stored.manifest)) {
      expect(await verifyObject(verifyPlace, object, 'full')).toEqual({});
    }
    // Looked at again when the lock ends, and not every hour.
    expect(await run.sweep()).toMatchObject({ objectsRemoved: 0, remaining: true });
    expect(await world.catalog.sweepOf(id)).toMatchObject({ until: Date.parse(until) });
    expect(run.now + 7 * day).toBeGreaterThan(Date.parse(until) - day);
  });
});

describe('a re-encryption', () => {
  const other = backupIdSchema.parse('01K9Z3V5Q0J8X7N2T4R6M1C9HB');
  const set = (id: BackupId, values: Record<string, unknown>) =>
    world.table.set({ pk: backupPartition(id), sk: 'META' }, values);

  it('is refused while others refer to the backup, or it refers to others, and says which', async () => {
    const id = await backup();
    await set(id, { references: [other] });
    await expect(reencryption(id).start()).rejects.toMatchObject({
      ...{ kind: 'conflict', message: expect.stringContaining(other) },
    });
    await set(id, { references: [] });
    await world.catalog.addDependent(id, other);
    await expect(reencryption(id).start()).rejects.toMatchObject({ dependents: [other] });
    await world.catalog.removeDependent(id, other);
    await reencryption(id).start();
  });

  it.each(['running', 'deleting', 'expired'])('is refused of a backup that is %s', async (state) => {
    const id = await backup();
    await set(id, { state });
    await expect(reencryption(id).start()).rejects.toMatchObject({
      message: expect.stringContaining(`The backup is ${state}`),
    });
  });

  it('has the backup for itself: no second one, no deletion, no expiry, no newer backup that refers to it', async () => {
    const id = await backup();
    const run = reencryption(id);
    await run.start();
    await run.start();
    await expect(reencryption(id).start()).rejects.toMatchObject({ operationId: run.id });
    const { catalog, table } = world;
    const deleting = {
      catalog,
      locks: new ShardLocks(table, catalog),
      clock: systemClock,
      defaultLockDays: 0,
    };
    await expect(deleteBackup(deleting, async () => {}, id)).rejects.toMatchObject({ operationId: run.id });
    expect(await catalog.expire(id)).toBe(false);
    expect(await catalog.addDependent(id, other)).toBe(false);
    await run.objects();
    await run.finish();
    expect(await catalog.addDependent(id, other)).toBe(true);
  });

  it('that was canceled does nothing more; past its point of no return it is not canceled', async () => {
    const id = await backup();
    const run = reencryption(id);
    await run.start();
    await run.objects();
    await world.operations.requestCancel(run.id);
    await expect(run.finish()).rejects.toThrow('not running any more');
    expect((await committed(id)).reencrypted).toBeUndefined();

    const next = reencryption(await backup());
    await next.start();
    await next.objects();
    next.budget = 0;
    await expect(next.finish()).rejects.toBeInstanceOf(Killed);
    expect(await world.operations.requestCancel(next.id)).toBe(false);
  });

  it('that was asked for and never started gives the backup free', async () => {
    const id = await backup();
    const run = reencryption(id);
    run.budget = 2;
    await expect(run.start()).rejects.toBeInstanceOf(Killed);
    expect(await reserved(id)).toBe(run.id);
    run.now += hour;
    await endUnstarted({ table: world.table, clock: run.clock, log: { warn: () => {} } });
    run.now += hour;
    run.budget = Number.POSITIVE_INFINITY;
    await run.sweep();
    expect(await reserved(id)).toBe('none');
    expect(await storedVersions(world.bucket, id, reencryptedPrefix(id, run.id))).toEqual([]);
  });
});
