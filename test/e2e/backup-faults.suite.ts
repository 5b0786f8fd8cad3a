import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Backup } from '../../functions/recovery/model.ts';
import { waitFor } from '../support/wait-for.ts';
import { Backups } from './support/backups.ts';
import { countAllRows, onShard } from './support/databases.ts';
import { expectBackupIsWhole } from './support/outcomes.ts';

const shard = 'shard-a';
const slowChunks = { service: 's3', operation: 'PutObject', caller: 'RecoveryChunkPipeline', delayMs: 100 };

describe('a backup in trouble', () => {
  let backups: Backups;
  let rows: number;

  beforeAll(async () => {
    backups = await Backups.open();
    rows = await onShard(backups.local, shard, countAllRows);
  });
  afterEach(() => backups.tidy());
  afterAll(() => backups?.tidy());

  const expectWhole = (backup: Backup) => expectBackupIsWhole(backups, backup, rows);

  it('completes although the process that copies is killed, and holds no row twice', async () => {
    // Slowed down, so that it is killed in the middle of its work.
    await backups.breakage.inject({ ...slowChunks, times: 20 });
    await backups.breakage.kill('RecoveryChunkPipeline', { when: 'next-invocation', afterMs: 250 });
    const id = await backups.start({ shards: [shard] });
    const { killed } = await waitFor(
      async () => {
        const kills = await backups.breakage.kills();
        return kills.killed.length > 0 && kills;
      },
      { what: 'the kill' },
    );
    expect(killed).toMatchObject([{ requestId: expect.any(String) }]);
    await expectWhole(await backups.ended(id));
  });
});
