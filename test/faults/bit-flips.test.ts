import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Backups } from '../e2e/support/backups.ts';
import { verifyBackup } from '../e2e/support/recovery.ts';
import { StoredBackup, type StoredObject } from '../e2e/support/stored-backup.ts';
import { random } from './support/random.ts';

jest.setTimeout(300_000);

const shard = 'shard-a';
const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);

describe(`one flipped bit, anywhere (SEED=${seed})`, () => {
  const below = random(seed);
  let backups: Backups;
  let id: string;
  let objects: StoredObject[];
  let manifest: { key: string; versionId: string; bytes: number };

  beforeAll(async () => {
    backups = await Backups.open();
    const backup = await backups.take({ shards: [shard] });
    id = backup.id;
    const stored = await StoredBackup.open(backups.local, id);
    const { preData, postData, sequences, chunks } = stored.shard(shard);
    objects = [preData, postData, sequences, ...chunks];
    const { key = '', versionId = '' } = backup.manifest ?? {};
    manifest = { key, versionId: versionId ?? '', bytes: stored.manifestBytes };
  });
  afterAll(() => backups.tidy());

  it.each([1, 2, 3, 4])('of each of many objects is found and named: round %i', async () => {
    const flips = objects
      .map((object) => ({
        object,
        order: below(1_000_000),
        offset: below(object.storedBytes),
        bit: below(8),
      }))
      .sort((a, b) => a.order - b.order)
      .slice(0, 45);
    expect(flips).toHaveLength(45);
    const flip = async () => {
      for (const { object, offset, bit } of flips) await backups.flipBit(object, offset, bit);
    };
    await flip();
    const [full, hash] = await Promise.all([
      verifyBackup(backups.call, id, 'verify'),
      verifyBackup(backups.call, id, 'verify-hash'),
    ]);
    await flip();
    const named = flips.map(({ object }) => object.key).sort();
    for (const { findings } of [full, hash]) {
      expect(findings.map(({ object }) => object).sort()).toEqual(named);
      expect(new Set(findings.map(({ problem }) => problem))).toEqual(new Set(['hash-mismatch']));
    }
  });

  it('of the manifest is found and named, in each of 20 places', async () => {
    for (let flipped = 0; flipped < 20; flipped++) {
      const [offset, bit] = [below(manifest.bytes), below(8)];
      await backups.flipBit(manifest, offset, bit);
      const { findings } = await verifyBackup(backups.call, id, 'verify-hash');
      await backups.flipBit(manifest, offset, bit);
      expect({ offset, bit, named: findings.map(({ object }) => object) }).toEqual({
        ...{ offset, bit, named: [manifest.key] },
      });
    }
  });

  it('is not found where all is as it was', async () => {
    expect(await verifyBackup(backups.call, id)).toMatchObject({ intact: true, findings: [] });
  });
});
