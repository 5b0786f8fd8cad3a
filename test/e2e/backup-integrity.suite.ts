import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Operation } from '../../functions/recovery/model.ts';
import { Backups, type ObjectVersion } from './support/backups.ts';
import { verifyBackup } from './support/recovery.ts';
import { StoredBackup } from './support/stored-backup.ts';

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

  it('has one flipped bit of rows and one of DDL named, with the table that the rows belong to', async () => {
    const [object] = stored.chunksOf(shard, { schema: 'we"ird schema', name: 'täble ✓ ; drop' });
    if (object === undefined) throw new Error('The table is not in the backup.');
    const { postData } = stored.shard(shard);
    const flip = async () => {
      await backups.flipBit(object);
      await backups.flipBit(postData, 0);
    };
    await flip();
    const problem = 'hash-mismatch';
    const relation = '"we""ird schema"."täble ✓ ; drop"';
    for (const operation of await verifyBoth()) {
      expect(operation).toMatchObject({ state: 'completed', intact: false, findingsTotal: 2 });
      expect(operation.findings).toEqual(
        expect.arrayContaining([
          expect.objectContaining({
            object: object.key,
            versionId: object.versionId,
            problem,
            shard,
            relation,
          }),
          expect.objectContaining({ object: postData.key, problem, shard, relation: null }),
        ]),
      );
    }
    expect(await backups.read(id)).toMatchObject({ verification: { state: 'completed', findings: 2 } });
    await flip();
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
    expect(await verifyBackup(backups.call, id, 'verify-hash')).toMatchObject({
      state: 'completed',
      intact: false,
      findings: [
        {
          object: object.key,
          versionId: object.versionId,
          problem: 'missing',
          relation: '"hostile"."bytes"',
        },
      ],
      findingsTotal: 1,
    });
  });
});
