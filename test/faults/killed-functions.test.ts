import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Backups } from '../e2e/support/backups.ts';
import { countAllRows, onShard } from '../e2e/support/databases.ts';
import type { KillPlan } from '../e2e/support/faults.ts';
import { expectBackupIsGone, expectBackupIsWhole } from '../e2e/support/outcomes.ts';
import { root, verifyBackup } from '../e2e/support/recovery.ts';
import { waitFor } from '../support/wait-for.ts';

jest.setTimeout(300_000);

const shard = 'shard-a';
const atOnce: KillPlan = { when: 'next-invocation' };
const atWork: KillPlan = { when: 'next-invocation', afterMs: 120 };
/** Everything is done, but nobody hears of it. */
const afterLine = (matching: string): KillPlan => ({ when: 'log-line', matching });

describe('a function that is killed once', () => {
  let backups: Backups;
  let rows: number;

  beforeAll(async () => {
    backups = await Backups.open();
    rows = await onShard(backups.local, shard, countAllRows);
  });
  afterEach(() => backups.tidy());

  async function expectKilled(): Promise<void> {
    const { killed } = await backups.breakage.kills();
    expect(killed).toMatchObject([{ requestId: expect.any(String) }]);
  }

  it.each<[string, string, KillPlan]>([
    ['Plan', 'at once', atOnce],
    ['Plan', 'at its end', afterLine('Backup planned')],
    ['DumpSchema', 'at once', atOnce],
    ['DumpSchema', 'at work', { when: 'next-invocation', afterMs: 400 }],
    ['DumpSchema', 'at its end', afterLine('Schema stored')],
    ['PlanChunks', 'at once', atOnce],
    ['PlanChunks', 'at its end', afterLine('"message":"Done"')],
    ['ChunkPipeline', 'at once', atOnce],
    ['ChunkPipeline', 'at work', { when: 'next-invocation', afterMs: 300 }],
    ['ChunkPipeline', 'at its end', afterLine('Chunk stored')],
    ['VerifyChunk', 'at once', atOnce],
    ['VerifyChunk', 'at work', atWork],
    ['VerifyChunk', 'at its end', afterLine('Read back')],
    ['Release', 'at once', atOnce],
    ['Release', 'at its end', afterLine('"message":"Done"')],
    ['Commit', 'at once', atOnce],
    ['Commit', 'at work', atWork],
    ['Commit', 'at its end', afterLine('Backup completed')],
  ])('does not keep a backup from being whole: %s, %s', async (name, _, plan) => {
    await backups.breakage.kill(`Recovery${name}Fun`, plan);
    const backup = await backups.ended(await backups.start({ shards: [shard] }), 180_000);
    await expectKilled();
    await expectBackupIsWhole(backups, backup, rows);
  });

  it('does not keep a backup from being whole: DumpSchema, while it reads the sequences', async () => {
    const id = await backups.start({ shards: [shard] });
    await backups.until(id, 'the chunks', ({ progress }) => progress.stage === 'chunks');
    await backups.breakage.kill('RecoveryDumpSchema', atOnce);
    const backup = await backups.ended(id);
    await expectKilled();
    await expectBackupIsWhole(backups, backup, rows);
  });

  it.each<[string, string, KillPlan]>([
    ['at once', 'planning', atOnce],
    ['while others read', 'chunks', { when: 'after' }],
  ])('ends a backup clearly when it held the snapshot: %s', async (_, stage, plan) => {
    await backups.breakage.inject({
      ...{
        service: 's3',
        operation: 'PutObject',
        caller: 'RecoveryChunkPipeline',
        times: 1_000,
        delayMs: 50,
      },
    });
    if (stage === 'planning') await backups.breakage.kill('RecoveryHoldSnapshot', plan);
    const id = await backups.start({ shards: [shard] });
    if (stage === 'chunks') {
      await backups.until(id, 'the chunks', ({ progress }) => progress.stage === 'chunks');
      await backups.breakage.kill('RecoveryHoldSnapshot', plan);
    }
    await expectBackupIsGone(backups, await backups.ended(id), shard, /Runtime\.ExitError/);
  });

  it.each<[string, KillPlan]>([
    ['at once', atOnce],
    ['at its end', afterLine('Backup ended')],
  ])('does not leave a failed backup running: Conclude, %s', async (_, plan) => {
    await backups.breakage.kill('RecoveryConcludeFun', plan);
    const fault = { service: 'kms', operation: 'GenerateDataKeyWithoutPlaintext', caller: 'Workflow' };
    await backups.breakage.inject({
      ...fault,
      times: 100,
      error: { status: 400, code: 'DisabledException' },
    });
    const backup = await backups.ended(await backups.start({ shards: [shard] }));
    await waitFor(async () => (await backups.breakage.kills()).killed.length === 1, { what: 'the kill' });
    await expectBackupIsGone(backups, backup, shard, /DisabledException/);
  });

  it('does not leave objects behind: Sweep', async () => {
    const id = await backups.start({ shards: [shard] });
    await backups.until(id, 'the chunks', ({ progress }) => progress.stage === 'chunks');
    await backups.breakage.kill('RecoverySweep', atOnce);
    await backups.call('POST', `${root}/backups/${id}/cancel`);
    expect(await backups.ended(id)).toMatchObject({ state: 'canceled' });
    await waitFor(async () => (await backups.breakage.kills()).killed.length === 1, { what: 'the kill' });
    // Lambda invokes it again a minute later.
    await waitFor(async () => (await backups.stored(id)).length === 0, {
      what: 'the next sweep',
      timeoutMs: 150_000,
      intervalMs: 500,
    });
  });

  describe('while a backup is verified', () => {
    let id: string;
    let verified: Backups;

    beforeAll(async () => {
      verified = await Backups.open();
      id = (await verified.take({ shards: [shard] })).id;
    });
    afterAll(() => verified.tidy());

    it.each<[string, string, KillPlan]>([
      ['PlanVerification', 'at once', atOnce],
      ['PlanVerification', 'at its end', afterLine('"message":"Done"')],
      ['VerifyChunk', 'at once', atOnce],
      ['VerifyChunk', 'at its end', afterLine('Read back')],
      ['ConcludeVerification', 'at once', atOnce],
      ['ConcludeVerification', 'at its end', afterLine('"message":"Done"')],
    ])('does not keep the verification from its result: %s, %s', async (name, _, plan) => {
      await verified.breakage.kill(`Recovery${name}`, plan);
      expect(await verifyBackup(verified.call, id)).toMatchObject({
        state: 'completed',
        intact: true,
        findings: [],
      });
      await expectKilled();
    });
  });
});
