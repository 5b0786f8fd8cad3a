import { SFNClient } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { RestoreCatalog } from '../../../../functions/recovery/catalog/restore-catalog.ts';
import { RestoreNotes } from '../../../../functions/recovery/catalog/restore-notes.ts';
import { systemClock } from '../../../../functions/recovery/clock.ts';
import { cleanUp } from '../../../../functions/recovery/drill/clean-up.ts';
import { DrillCatalog } from '../../../../functions/recovery/drill/drill-catalog.ts';
import { DrillLock } from '../../../../functions/recovery/drill/drill-lock.ts';
import type { DrillRecord } from '../../../../functions/recovery/drill/drill-record.ts';
import { endDrill, withKey } from '../../../../functions/recovery/drill/end-drill.ts';
import {
  type DrillId,
  drillIdOf,
  drillIdSchema,
  restoreOf,
} from '../../../../functions/recovery/drill/ids.ts';
import { checkKindSchema } from '../../../../functions/recovery/drill/model.ts';
import { nestedErrors } from '../../../../functions/recovery/drill/nested-errors.ts';
import { planDrill } from '../../../../functions/recovery/drill/plan-drill.ts';
import { startDrill } from '../../../../functions/recovery/drill/requests.ts';
import { showDrill } from '../../../../functions/recovery/drill/view.ts';
import { sha256Of } from '../../../../functions/recovery/hash.ts';
import { backupIdSchema, shardNameSchema } from '../../../../functions/recovery/ids.ts';
import { Bucket } from '../../../../functions/recovery/objects/bucket.ts';
import { completeRestore } from '../../../../functions/recovery/restore/complete-restore.ts';
import { newId } from '../../../../functions/shared/ids.ts';
import { Executions } from '../import/support/import-run.ts';
import { type Aws, startAwsWorld } from '../support/world.ts';

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const shard = shardNameSchema.parse('shard-a');
const backupId = backupIdSchema.parse('B1');
const at = '2026-01-04T04:00:00.000Z';
const keyArn = 'arn:aws:kms:eu-central-1:000000000000:key/mrk-1';

let world: Aws;
let drills: DrillCatalog;
let restores: RestoreCatalog;
beforeAll(async () => {
  world = await startAwsWorld();
  drills = new DrillCatalog(world.table);
  restores = new RestoreCatalog(world.table);
});
afterAll(() => world?.close());

/** A drill whose backup is chosen, with the restore that it has run. */
async function begun(state: 'queued' | 'completed' | 'failed' = 'completed'): Promise<DrillId> {
  const id = drillIdSchema.parse(newId());
  await drills.create({
    ...{ id, trigger: 'api', restorePoint: 'latest', keys: 'kms', reuseVerification: true },
    ...{ requestedBy: 'key', traceparent, createdAt: at },
  });
  await drills.start(id, { executionArn: 'arn:x', startedAt: at });
  await drills.choose(id, {
    ...{ backupId, backupCreatedAt: at, shards: [shard], restoreRequestedAt: at },
    rpo: { shards: [{ shard, backupId, snapshotAt: at, rpoMs: 5 }], rpoMs: 5 },
    reuse: { reused: true, reason: 'It holds.', objects: 1, operationId: null },
  });
  await restores.create({
    ...{ id: restoreOf(id), backupId, mode: 'new', dryRun: false, shards: [shard], database: 'scratch' },
    ...{ drill: true, requestedBy: 'key', traceparent, createdAt: at },
  });
  if (state === 'queued') return id;
  const plan = { objects: 1, rows: 1, bytes: 1, storedBytes: 1, estimatedMs: 1 };
  await restores.start(restoreOf(id), {
    executionArn: 'arn:r',
    startedAt: at,
    plan,
    safetyBackupId: backupId,
  });
  const notes = new RestoreNotes(world.table, restoreOf(id));
  await notes.setShard(shard, {
    ...{ stage: 'comparison', database: 'scratch', host: 'h', port: 1, original: 'o', objectsTotal: 1 },
  });
  await restores.discardNeeded(restoreOf(id), Date.now() + 1e9);
  if (state === 'completed') {
    await completeRestore({ restores, notes, clock: systemClock }, restoreOf(id));
  } else {
    const error = { code: 'DamagedObjectError', message: 'rows/1 is damaged.' };
    await restores.end({ id: restoreOf(id), attempts: 1 }, 'failed', { finishedAt: at, error });
  }
  return id;
}

async function checked(id: DrillId, refused = 0): Promise<void> {
  for (const check of checkKindSchema.options) {
    const finding = { shard, check, object: 'x', problem: 'It is wrong.', accepted: refused === 0 };
    await drills.putCheck(id, {
      ...{ shard, check, done: 1, durationMs: 1, finishedAt: new Date().toISOString(), refused },
      ...{ findings: [finding], findingsTotal: 1 },
    });
  }
}

const current = async (id: DrillId): Promise<DrillRecord> => {
  const record = await drills.get(id);
  if (record === undefined) throw new Error('There is no such drill');
  return record;
};

async function end(id: DrillId, failure?: { code: string; message: string }, bucket = world.bucket) {
  const notes = new RestoreNotes(world.table, restoreOf(id));
  return endDrill(
    {
      ...{ drills, restores, notes, bucket, operations: world.operations, clock: systemClock, keyArn },
      ...{ rpoTargetMs: 10, rtoTargetMs: 1, onNotStored: () => undefined },
    },
    await current(id),
    { removed: true, aborted: false, failure },
  );
}

const dueSoon = async (id: DrillId): Promise<boolean> => {
  for await (const due of restores.discardsDue(Date.now())) if (due === restoreOf(id)) return true;
  return false;
};

describe('the end of a drill', () => {
  it('is complete when all was restored and checked; accepted findings do not fail it', async () => {
    const id = await begun();
    await checked(id);
    const ended = await end(id);
    expect(ended).toMatchObject({ state: 'completed', rtoMs: expect.any(Number) });
    expect(await end(id)).toBeUndefined();
    const { report } = await current(id);
    const stored = await drills.report(id);
    expect(report?.sha256).toBe(sha256Of(stored?.json ?? ''));
    expect((await world.bucket.readText({ key: report?.key ?? '', versionId: null }))?.text).toBe(
      stored?.json,
    );
    expect(JSON.parse(stored?.json ?? '')).toMatchObject({ rpo: { met: true }, rto: { met: false } });
    expect(await drills.lastCompleted()).toBeGreaterThan(Date.now() - 60_000);
    const restore = await restores.get(restoreOf(id));
    const notes = new RestoreNotes(world.table, restoreOf(id));
    const shown = await showDrill(await current(id), { restore, notes, checks: await drills.checks(id) });
    expect(shown).toMatchObject({ findingsTotal: 4, rpoMs: 5, progress: { checksDone: 4, checksTotal: 4 } });
  });

  it('is a failure when something is found, or not all was looked at, and says what', async () => {
    const found = await begun();
    await checked(found, 1);
    expect(await end(found)).toMatchObject({
      state: 'failed',
      error: { code: 'DrillFindingsError', message: expect.stringContaining('shard-a, x: It is wrong.') },
    });
    const unfinished = await begun();
    expect(await end(unfinished)).toMatchObject({ state: 'failed', error: { code: 'DrillFindingsError' } });
    expect((await current(unfinished)).rtoMs).toBeUndefined();
  });

  it('says of what the restore has failed', async () => {
    const id = await begun('failed');
    const ended = await end(id, { code: nestedErrors.restore, message: 'Its record says why.' });
    expect(ended?.error).toEqual({ code: 'DamagedObjectError', message: 'rows/1 is damaged.' });
  });

  it('is noted even where the report cannot be stored', async () => {
    const id = await begun();
    await checked(id);
    const ended = await end(id, undefined, new Bucket(world.s3, 'no-such-bucket'));
    expect(ended).toMatchObject({ state: 'completed', report: { key: null } });
    expect(await drills.report(id)).toBeDefined();
  });

  it('names the key where KMS is why, once', () => {
    const failure = { code: 'DependencyError', message: 'KMS did not complete Decrypt: DisabledException' };
    expect(withKey(failure, keyArn).message).toContain(keyArn);
    expect(withKey(withKey(failure, keyArn), keyArn)).toEqual(withKey(failure, keyArn));
    expect(withKey({ code: 'X', message: 'The table is gone.' }, keyArn).message).toBe('The table is gone.');
  });

  it('is a cancellation when that was asked for, whatever failed then', async () => {
    const id = await begun('failed');
    await drills.requestCancel(id);
    const ended = await end(id, { code: 'X', message: 'x' });
    expect(ended?.state).toBe('canceled');
    expect(ended?.error).toBeUndefined();
  });
});

describe('one drill at a time', () => {
  const minute = 60_000;
  let now: number;
  let started: string[];
  const lock = () => new DrillLock(world.table, drills);
  const request = () => {
    const id = drillIdSchema.parse(newId());
    const { client: stepFunctions, started: names } = new Executions();
    started = names;
    const deps = {
      drills,
      lock: lock(),
      backups: world.catalog,
      stepFunctions,
      stateMachineArn: 'arn:drill',
    };
    const clock = { ...systemClock, now: () => now };
    const asked = { restorePoint: 'latest', keys: 'kms', reuseVerification: true } as const;
    const about = { ...asked, id, requestedBy: 'key', traceparent };
    return { id, start: () => startDrill({ ...deps, clock }, about) };
  };
  const endOf = (id: DrillId) => drills.end(id, 'failed', { finishedAt: at });
  beforeAll(() => {
    now = Date.now();
  });

  it('refuses the second by the name of the first, which may be asked for again, until that has ended', async () => {
    const first = request();
    await first.start();
    await first.start();
    const second = request();
    await expect(second.start()).rejects.toMatchObject({
      ...{ name: 'DrillConflictError', runningDrillId: first.id },
    });
    expect([started, await drills.get(second.id)]).toEqual([[], undefined]);
    now += 60 * minute;
    await expect(second.start()).rejects.toThrow(first.id);
    await endOf(first.id);
    await second.start();
    expect(started).toEqual([second.id]);
    await endOf(second.id);
  });

  it('is not held up for long by one that died before it was noted, or started', async () => {
    const [dead, next] = [drillIdSchema.parse(newId()), request()];
    await lock().acquire(dead, now);
    await expect(next.start()).rejects.toThrow(dead);
    now += 15 * minute;
    await next.start();
    await endOf(next.id);
  });

  it('leaves out the one that a schedule starts meanwhile, and notes nothing of it', async () => {
    const first = request();
    await first.start();
    const plan = (executionName: string) =>
      planDrill(
        {
          ...{ drills, lock: lock(), backups: world.catalog, restores, operations: world.operations },
          ...{ manifestsOf: () => world.manifests, bucket: world.bucket, listShards: async () => [] },
          ...{ clock: { ...systemClock, now: () => now }, pick: () => 0, hasTime: () => true, traceparent },
          stateMachines: { restore: 'arn:restore', verification: 'arn:verification' },
        },
        { executionName, executionArn: 'arn:x', startedAt: at, input: {}, timeoutSeconds: 60 },
      );
    const scheduled = '5c1f6f9e-0000-4000-8000-000000000000_by-schedule';
    await expect(plan(scheduled)).rejects.toMatchObject({
      ...{ name: 'DrillSkippedError', message: expect.stringContaining(first.id) },
    });
    expect(await drills.get(drillIdOf(scheduled))).toBeUndefined();
    // There is no backup, but it is its turn.
    await expect(plan(first.id)).rejects.toThrow(/no complete backup|There is no/);
    await endOf(first.id);
  });
});

describe('what a drill has restored', () => {
  const clean = (id: DrillId) =>
    cleanUp(
      {
        ...{ drills, restores, operations: world.operations, clock: systemClock },
        stepFunctions: new SFNClient({ region: 'eu-central-1' }),
      },
      id,
    );

  it('stays the drill’s when the restore is complete, and is due to be removed once it is cleaned up', async () => {
    const id = await begun();
    const [settled] = await new RestoreNotes(world.table, restoreOf(id)).shards();
    expect(settled?.settled).toBe(false);
    expect(await dueSoon(id)).toBe(false);
    await clean(id);
    await clean(id);
    expect(await dueSoon(id)).toBe(true);
    expect((await current(id)).stage).toBe('clean-up');
  });

  it('is never begun when the drill has ended before', async () => {
    const id = await begun('queued');
    await clean(id);
    expect((await restores.get(restoreOf(id)))?.state).toBe('canceled');
    const late = { executionArn: 'arn:r', startedAt: at, safetyBackupId: backupId };
    const plan = { objects: 1, rows: 1, bytes: 1, storedBytes: 1, estimatedMs: 1 };
    expect(await restores.start(restoreOf(id), { ...late, plan })).toBe(false);
  });
});
