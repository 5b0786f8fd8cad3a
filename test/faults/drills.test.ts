import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Drill } from '../../functions/recovery/drill/model.ts';
import { Backups } from '../e2e/support/backups.ts';
import { digestTables, onShard } from '../e2e/support/databases.ts';
import { Drills } from '../e2e/support/drills.ts';
import { root } from '../e2e/support/recovery.ts';
import { Restores } from '../e2e/support/restores.ts';
import { StoredBackup } from '../e2e/support/stored-backup.ts';
import { waitFor } from '../support/wait-for.ts';

jest.setTimeout(300_000);

const shard = 'shard-b';

describe('a drill', () => {
  let backups: Backups;
  let restores: Restores;
  let drills: Drills;
  let backupId: string;
  let source: Record<string, string>;

  beforeAll(async () => {
    backups = await Backups.open();
    restores = new Restores(backups.local, backups.call);
    drills = new Drills(backups.call);
    backupId = (await backups.take({ shards: [shard] })).id;
    source = await onShard(backups.local, shard, digestTables);
  });
  afterEach(async () => {
    await backups.breakage.mend();
    await waitFor(async () => (await restores.databases(shard)).join() === 'platform', {
      what: 'the scratch databases to be removed',
    });
    expect(await onShard(backups.local, shard, digestTables)).toEqual(source);
  });
  afterAll(async () => {
    await restores.tidy();
    await backups.tidy();
  });

  const ended = async (drill: Drill): Promise<Drill> => {
    const report = await drills.report(drill.id);
    expect(report).toMatchObject({ outcome: drill.state, error: drill.error, findings: drill.findings });
    return drill;
  };

  it.each([
    ...[0, 50, 400].map((afterMs) => ['RecoveryPlanDrill', afterMs] as const),
    ...[0, 300].map((afterMs) => ['RecoveryRestoreDatabase', afterMs] as const),
    ...[0, 100].map((afterMs) => ['RecoveryRestoreRows', afterMs] as const),
    ...[0, 50, 200].map((afterMs) => ['RecoveryCheckDrill', afterMs] as const),
    ...[0, 50, 200].map((afterMs) => ['RecoveryConcludeDrill', afterMs] as const),
  ])(
    'comes to its end when a function is killed, and leaves nothing: %s, after %i ms',
    async (part, afterMs) => {
      await backups.breakage.kill(part, { when: 'next-invocation', afterMs });
      const drill = await ended(await drills.take({ restorePoint: backupId }));
      expect(drill.checks).toHaveLength(4);
    },
  );

  it('fails at a damaged object and names it, whether hashes are compared before or not', async () => {
    const { manifest } = await StoredBackup.open(backups.local, backupId);
    const [object] = manifest.shards.flatMap(({ chunks }) => chunks);
    const damaged = { key: object?.key ?? '', versionId: object?.versionId ?? '' };
    await backups.flipBit(damaged);
    try {
      for (const reuseVerification of [true, false]) {
        const id = await drills.start({ restorePoint: backupId, reuseVerification });
        const drill = await ended(await drills.ended(id));
        expect(drill).toMatchObject({
          ...{ state: 'failed', verification: { reused: reuseVerification }, rtoMs: null },
          error: { message: expect.stringContaining(damaged.key) },
        });
      }
    } finally {
      await backups.flipBit(damaged);
    }
  });

  it('compares the hashes of all objects before when it is asked to', async () => {
    const drill = await ended(await drills.take({ restorePoint: backupId, reuseVerification: false }));
    expect(drill.verification).toMatchObject({ reused: false, operationId: drill.id });
  });

  it('fails without the key of backups, and says which it is', async () => {
    await backups.breakage.inject({
      ...{ service: 'kms', operation: 'Decrypt', caller: 'RecoveryRestore', times: 100_000 },
      error: { status: 400, code: 'DisabledException' },
    });
    const drill = await ended(await drills.ended(await drills.start({ restorePoint: backupId })));
    expect(drill).toMatchObject({
      ...{ state: 'failed', rtoMs: null },
      error: { message: expect.stringMatching(/KMS did not complete Decrypt.*arn:aws:kms:\S+key\/mrk-/) },
    });
  });

  it('that is canceled in the middle leaves nothing', async () => {
    await backups.breakage.inject({
      ...{ service: 's3', operation: 'GetObject', caller: 'RecoveryRestoreRows' },
      ...{ times: 1_000, delayMs: 300 },
    });
    const id = await drills.start({ restorePoint: backupId });
    await drills.until(id, 'rows', ({ progress }) => progress.objectsDone > 0);
    expect((await backups.call('POST', `${root}/test/${id}/cancel`)).status).toBe(202);
    const drill = await ended(await drills.ended(id));
    expect(drill).toMatchObject({ state: 'canceled', cancelRequested: true, error: null });
    expect((await backups.call('POST', `${root}/test/${id}/cancel`)).status).toBe(202);
  });

  it('whose restore somebody cancels fails, and leaves nothing', async () => {
    await backups.breakage.inject({
      ...{ service: 's3', operation: 'GetObject', caller: 'RecoveryRestoreRows' },
      ...{ times: 1_000, delayMs: 300 },
    });
    const id = await drills.start({ restorePoint: backupId });
    await drills.until(id, 'the rows', ({ progress }) => progress.objectsTotal !== null);
    expect((await backups.call('POST', `${root}/restore/${id}/cancel`)).status).toBe(202);
    expect(await ended(await drills.ended(id))).toMatchObject({ state: 'failed' });
  });
});
