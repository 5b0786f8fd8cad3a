import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Backups } from '../e2e/support/backups.ts';
import { digestTables, onShard } from '../e2e/support/databases.ts';
import { Restores } from '../e2e/support/restores.ts';

jest.setTimeout(300_000);

const shard = 'shard-b';

describe('a restore', () => {
  let backups: Backups;
  let restores: Restores;
  let backupId: string;
  let source: Record<string, string>;

  beforeAll(async () => {
    backups = await Backups.open();
    restores = new Restores(backups.local, backups.call);
    backupId = (await backups.take({ shards: [shard] })).id;
    source = await onShard(backups.local, shard, digestTables);
  });
  afterAll(async () => {
    await restores.tidy();
    await backups.tidy();
  });

  const digestsIn = (database: string) => onShard(backups.local, shard, digestTables, database);

  it('takes the place of the original when it is asked to, after a backup of that', async () => {
    await onShard(backups.local, shard, (client) =>
      client.query('CREATE TABLE public.after_the_backup AS SELECT 1 AS one'),
    );
    const restore = await restores.take({ backupId, mode: 'replace' });
    const kept = restore.shardDetails[0]?.keptDatabase ?? '';
    expect(kept).toMatch(/^platform_before_/);
    expect(await onShard(backups.local, shard, digestTables)).toEqual(source);
    expect(await digestsIn(kept)).toHaveProperty(['"public"."after_the_backup"']);

    // What was replaced is in the safety backup, and what has replaced it can be backed up as before.
    backups.adopt(restore.safetyBackupId ?? '');
    expect(await backups.read(restore.safetyBackupId ?? '')).toMatchObject({
      state: 'completed',
      trigger: 'restore',
    });
    const after = await backups.take({ shards: [shard] });
    expect(after.rows).toBe(restore.plan?.rows);
  });
});
