import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Operation } from '../../functions/recovery/model.ts';
import { Backups, type ObjectVersion } from './support/backups.ts';
import { verifyBackup } from './support/recovery.ts';
import { StoredBackup } from './support/stored-backup.ts';

jest.setTimeout(120_000);

const shard = 'shard-b';

describe('a stored backup', () => {
  let backups: Backups;
  let id: string;
  let stored: StoredBackup;
  let manifest: ObjectVersion;

  beforeAll(async () => {
    backups = await Backups.open();
    const backup = await backups.take({ shards: [shard] });
    id = backup.id;
    stored = await StoredBackup.open(backups.local, id);
    manifest = { key: backup.manifest?.key ?? '', versionId: backup.manifest?.versionId ?? '' };
  });
  afterAll(() => backups.tidy());

  /** Verifies in both ways: with and without decrypting. */
  async function verifyBoth(): Promise<Operation[]> {
    return Promise.all([
      verifyBackup(backups.call, id, 'verify'),
      verifyBackup(backups.call, id, 'verify-hash'),
    ]);
  }

  async function expectFound(finding: object): Promise<void> {
    for (const operation of await verifyBoth()) {
      expect(operation).toMatchObject({
        state: 'completed',
        intact: false,
        findings: [{ detail: expect.any(String), ...finding }],
        findingsTotal: 1,
      });
    }
    expect(await backups.read(id)).toMatchObject({ verification: { state: 'completed', findings: 1 } });
  }

  async function expectIntact(): Promise<void> {
    for (const operation of await verifyBoth()) {
      const objects = stored.manifest.totals.objects + 1;
      expect(operation).toMatchObject({
        state: 'completed',
        intact: true,
        findings: [],
        progress: { objectsDone: objects, objectsTotal: objects },
      });
    }
  }

  it('is intact', expectIntact);

  it('has one flipped bit of an object named, with the table it belongs to', async () => {
    const [object] = stored.chunksOf(shard, { schema: 'we"ird schema', name: 'täble ✓ ; drop' });
    if (object === undefined) throw new Error('The table is not in the backup.');
    await backups.flipBit(object);
    await expectFound({
      object: object.key,
      versionId: object.versionId,
      problem: 'hash-mismatch',
      shard,
      relation: '"we""ird schema"."täble ✓ ; drop"',
    });
    await backups.flipBit(object);
  });

  it('has one flipped bit of the DDL named', async () => {
    const { postData } = stored.shard(shard);
    await backups.flipBit(postData, 0);
    await expectFound({ object: postData.key, problem: 'hash-mismatch', shard, relation: null });
    await backups.flipBit(postData, 0);
  });

  it('has one flipped bit of the manifest named', async () => {
    await backups.flipBit(manifest);
    for (const operation of await verifyBoth()) {
      expect(operation).toMatchObject({
        state: 'completed',
        intact: false,
        findings: [{ object: manifest.key, versionId: manifest.versionId, shard: null, relation: null }],
      });
    }
    await backups.flipBit(manifest);
  });

  it('is intact again once the bits are as they were', expectIntact);

  it('has an object named that somebody deleted', async () => {
    const [object] = stored.chunksOf(shard, { schema: 'hostile', name: 'bytes' });
    if (object === undefined) throw new Error('The table is not in the backup.');
    await backups.removeVersion(object);
    await expectFound({
      object: object.key,
      versionId: object.versionId,
      problem: 'missing',
      relation: '"hostile"."bytes"',
    });
  });
});
