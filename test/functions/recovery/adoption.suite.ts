import { DisableKeyCommand, EnableKeyCommand } from '@aws-sdk/client-kms';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { BackupCatalog } from '../../../functions/recovery/catalog/backup-catalog.ts';
import { listRestorePoints } from '../../../functions/recovery/drill/choose.ts';
import { type BackupId, backupIdSchema } from '../../../functions/recovery/ids.ts';
import type { Committed } from '../../../functions/recovery/manifest/commit.ts';
import { ManifestStore } from '../../../functions/recovery/manifest/manifest-store.ts';
import { objectsOf } from '../../../functions/recovery/manifest/objects-of.ts';
import { Bucket } from '../../../functions/recovery/objects/bucket.ts';
import { backupPrefix } from '../../../functions/recovery/objects/object-keys.ts';
import { type VerifyPlace, verifyObject } from '../../../functions/recovery/objects/verify-object.ts';
import { ImportRun } from './import/support/import-run.ts';
import { Restores } from './restore/support/restores.ts';
import { AdoptionRun } from './support/adoption-run.ts';
import { dump, expected, ReencryptedBackups } from './support/reencrypted-backups.ts';
import { BackupRun } from './support/run-backup.ts';
import { type Standby, startStandby } from './support/standby.ts';
import { storedVersions } from './support/stored-versions.ts';

/** The deployment that was lost, and its standby region. */
let standby: Standby;
/** The deployment that takes its place, with keys and a database of its own. */
let here: Restores;
let name: string;
let incremental: Committed;
let imported: BackupId;
/** What is left of it: the copies, and the replicas of its keys. */
let vault: { place: VerifyPlace; manifests: ManifestStore };
let replicas: string[];
const adopt = (id: BackupId) => new AdoptionRun(here.world, vault, id);

beforeAll(async () => {
  [standby, here] = await Promise.all([startStandby(), Restores.start()]);
  const { world } = standby;
  const { database } = here;
  name = await database.create(`
    CREATE TABLE kept (id int PRIMARY KEY, body text);
    INSERT INTO kept SELECT n, repeat(n::text, 20) FROM generate_series(1, 500) n;
    CREATE TABLE changed (id serial PRIMARY KEY, kept int REFERENCES kept);
    INSERT INTO changed (kept) SELECT n FROM generate_series(1, 100) n`);
  await new BackupRun(world, database, name).complete({ targetBytes: 16 * 1024 });
  await here.query(name, 'INSERT INTO changed (kept) VALUES (7), (8), (9)');
  const run = new BackupRun(world, database, name);
  incremental = await run.complete({ type: 'incremental', targetBytes: 16 * 1024 });
  imported = (await new ImportRun(world).complete(dump)).record.id;

  const keys = [world.verifyPlace.keyArn, world.keys.mac];
  replicas = await Promise.all(keys.map(standby.replicaOf));
  await standby.copyAll();
  for (const KeyId of keys) await world.kms.send(new DisableKeyCommand({ KeyId }));
  const bucket = new Bucket(standby.s3, world.bucket.name);
  const [keyArn = '', mac = ''] = replicas;
  const { kms } = standby;
  vault = { place: { bucket, kms, keyArn }, manifests: new ManifestStore(bucket, kms, mac) };
});

afterEach(async () => {
  for (const KeyId of replicas) await standby.kms.send(new EnableKeyCommand({ KeyId }));
});

afterAll(async () => {
  await here?.close();
  await standby?.close();
});

describe('a backup of a region that was lost', () => {
  it('is adopted from the copies with the primary keys disabled, and restored as it was', async () => {
    const { world } = here;
    const source = incremental.record.id;
    const before = incremental.manifest.manifest;
    expect(before.totals.referred?.objects).toBeGreaterThan(0);

    const run = adopt(source);
    await run.start();
    await run.plan();
    expect(await world.catalog.get(run.backupId)).toMatchObject({ state: 'running', type: 'full' });
    await expect(adopt(source).start()).rejects.toMatchObject({
      ...{ kind: 'conflict', message: expect.stringContaining(run.id) },
    });
    await run.objects();
    // The catalogue does not hear of the manifest that was written, and the state is run again.
    const deaf = new BackupCatalog(world.table);
    deaf.complete = async () => Promise.reject(new Error('It was killed'));
    await expect(run.finish(deaf)).rejects.toThrow('It was killed');
    const result = await run.finish();
    expect(await run.finish()).toEqual(result);

    // From here on neither copies nor replicas are needed.
    for (const KeyId of replicas) await standby.kms.send(new DisableKeyCommand({ KeyId }));
    const without = adopt(imported);
    await expect(without.complete()).rejects.toThrow(/disabled/i);
    expect(await without.fail()).toBe('failed');
    const record = await world.catalog.get(run.backupId);
    expect(record).toMatchObject({
      ...{ state: 'completed', type: 'full', references: [], keptBy: 'request' },
      ...{ createdAt: before.createdAt, rows: incremental.record.rows },
      adopted: { backupId: source },
    });
    const stored = await world.manifests.read(run.backupId, record?.manifest?.versionId ?? null);
    if (stored === undefined) throw new Error('There is no manifest');
    expect(record?.keepUntil).toBeUndefined();
    const { manifest } = stored;
    expect(manifest).toMatchObject({ type: 'full', adopted: { from: { backupId: source } } });
    for (const object of objectsOf(manifest)) {
      expect(object.key.startsWith(backupPrefix(run.backupId))).toBe(true);
      expect((await verifyObject(world.verifyPlace, object, 'full')).problem).toBeUndefined();
    }
    expect(result).toMatchObject({ objects: objectsOf(manifest).length, keyArn: world.verifyPlace.keyArn });
    expect(await storedVersions(world.bucket, run.backupId)).toHaveLength(result.objects + 1);

    const restoring = here.plan(manifest);
    expect(await here.complete(restoring)).toEqual([]);
    expect(await here.differences(restoring)).toEqual([]);
    const { database } = restoring.work;
    const all = 'SELECT c.*, k.body FROM changed c JOIN kept k ON k.id = c.kept ORDER BY c.id';
    expect(await here.query(database, all)).toEqual(await here.query(name, all));
    expect((await listRestorePoints(world.catalog)).map(({ id }) => id)).toEqual([run.backupId]);
    // The databases here are others: nothing of it stands for what they hold.
    const next = new BackupRun(world, here.database, database);
    await next.begin({ type: 'incremental' });
    expect(await next.record()).toMatchObject({ type: 'full', parents: {}, references: [] });
    await expect(adopt(source).start()).rejects.toMatchObject({
      message: expect.stringContaining(`it is ${run.backupId} here`),
    });
  });

  it('is adopted anew after a try that came to nothing, of which nothing counts; a dump that was imported, too', async () => {
    const { world } = here;
    const nowhere = adopt(backupIdSchema.parse(here.newId()));
    await nowhere.start();
    await expect(nowhere.plan()).rejects.toThrow(`The vault has no backup ${nowhere.source}`);
    expect([await nowhere.fail(), await world.catalog.get(nowhere.backupId)]).toEqual(['failed', undefined]);

    const cut = adopt(imported);
    await cut.start();
    await cut.objects();
    expect(await cut.fail(true)).toBe('canceled');
    expect(await world.catalog.get(cut.backupId)).toMatchObject({ state: 'canceled' });
    expect(await world.catalog.sweepOf(cut.backupId)).toBeDefined();
    await expect(cut.objects()).rejects.toThrow(/canceled/);
    await expect(cut.finish()).rejects.toThrow('not running any more');

    const run = adopt(imported);
    expect(await run.complete()).toMatchObject({ objects: 1 });
    const record = await world.catalog.get(run.backupId);
    expect(record).toMatchObject({ type: 'import', import: { name: 'shop.dump', sha256: expected } });
    expect(await new ReencryptedBackups(world).content(run.backupId, world.verifyPlace.keyArn)).toBe(
      expected,
    );
    await expect(cut.plan()).rejects.toThrow('does not adopt');
  });
});
