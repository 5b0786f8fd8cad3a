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

  it.each([
    ...[0, 100, 200, 400, 800].map((afterMs) => ['RecoveryRestoreRows', afterMs] as const),
    ...[0, 100, 300, 600, 1_000].map((afterMs) => ['RecoveryRestoreDatabase', afterMs] as const),
    ...[0, 50].map((afterMs) => ['RecoveryPlanRestore', afterMs] as const),
    ...[0, 50].map((afterMs) => ['RecoveryConcludeRestore', afterMs] as const),
  ])('has every row once when a function is killed: %s, %i ms after it was called', async (part, afterMs) => {
    const database = `platform_${part.toLowerCase()}_${afterMs}`;
    await backups.breakage.kill(part, { when: 'next-invocation', afterMs });
    try {
      expect(await restores.take({ backupId, database })).toMatchObject({ identical: true });
      expect((await backups.breakage.kills()).killed.length).toBeLessThanOrEqual(1);
      expect(await digestsIn(database)).toEqual(source);
    } finally {
      await backups.breakage.mend();
      await restores.drop(shard, database);
    }
  });

  it('brings back the rows of one tenant, out of those of all and out of a backup of its own', async () => {
    const users =
      'SELECT tenant_id::text AS id, count(*)::int AS users FROM platform.users GROUP BY 1 ORDER BY 1';
    const before = await onShard(backups.local, shard, (client) => client.query(users));
    const tenant = { id: before.rows[0]?.id, by: 'key' };
    const restore = await restores.take({ backupId, tenant, database: 'platform_one_tenant' });
    expect(restore).toMatchObject({ tenant, identical: null, shardDetails: [{ differences: [] }] });
    const after = await onShard(backups.local, shard, (client) => client.query(users), 'platform_one_tenant');
    expect(after.rows).toEqual([before.rows[0]]);

    const own = await backups.take({ tenant, shards: [shard] });
    expect(own).toMatchObject({ type: 'full', tenant, references: [] });
    const again = await restores.take({ backupId: own.id, database: 'platform_own_backup' });
    expect(again).toMatchObject({ identical: true, shardDetails: [{ rows: own.rows }] });
    const restored = await onShard(
      backups.local,
      shard,
      (client) => client.query(users),
      'platform_own_backup',
    );
    expect(restored.rows).toEqual([before.rows[0]]);
  });

  it('takes the place of the original when it is asked to, after a backup of that', async () => {
    await onShard(backups.local, shard, (client) =>
      client.query('CREATE TABLE public.after_the_backup AS SELECT 1 AS one'),
    );
    const id = await restores.start({ backupId, mode: 'replace' });
    await restores.until(id, 'the safety backup', ({ progress }) => progress.stage === 'safety-backup');
    const restore = await restores.ended(id);
    expect({ state: restore.state, error: restore.error }).toEqual({ state: 'completed', error: null });
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
