import { randomBytes, randomUUID } from 'node:crypto';
import { GetScheduleCommand, ListSchedulesCommand, SchedulerClient } from '@aws-sdk/client-scheduler';
import { ListStateMachinesCommand, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { backupSummarySchema, stageSchema } from '../../functions/recovery/model.ts';
import type { StoredSpan } from '../../functions/tracing/model.ts';
import { span } from '../functions/tracing/spans.ts';
import { waitFor } from '../support/wait-for.ts';
import type { ApiClient } from './support/api.ts';
import { awsConfig } from './support/aws.ts';
import { Backups, expectCompleted } from './support/backups.ts';
import { countAllRows, onShard } from './support/databases.ts';
import { functionLogs } from './support/functions.ts';
import { root } from './support/recovery.ts';
import { sendSpan, wholeTrace } from './support/traces.ts';

const list = `${root}/backups`;
const shards = ['shard-a', 'shard-b'];
/** Stages in their order. */
const stages = stageSchema.options;

describe('backups', () => {
  let backups: Backups;
  /** Taken by the API, and by schedule. */
  let asked: string;
  /** Whoever asked for it. */
  let caller: StoredSpan;
  let scheduled: string;

  beforeAll(async () => {
    backups = await Backups.open();
  });
  afterAll(() => backups?.tidy());

  it('are accepted, show their progress, and are complete and proved, with every row of both shards', async () => {
    caller = span({ traceId: randomBytes(16).toString('hex'), name: 'nightly', startMs: Date.now() });
    const { traceId } = caller;
    const answer = await backups.call('POST', `${root}/backup`, {
      headers: { traceparent: `00-${traceId}-${caller.spanId}-01` },
    });
    expect(answer.status).toBe(202);
    const location = answer.headers.get('location') ?? '';
    asked = location.slice(`${list}/`.length);
    backups.adopt(asked);
    // It may have begun by the time that the answer is made.
    expect(answer.body).toMatchObject({
      id: asked,
      state: expect.stringMatching(/^(queued|running)$/),
      verified: false,
      manifest: null,
    });

    const seen: string[] = [];
    let mostChunks = 0;
    await backups.until(asked, 'the end', ({ state, progress }) => {
      if (progress.stage !== seen.at(-1)) seen.push(progress.stage);
      expect(progress.chunksDone).toBeGreaterThanOrEqual(mostChunks);
      expect(progress.chunksDone).toBeLessThanOrEqual(progress.chunksStored);
      expect(progress.chunksStored).toBeLessThanOrEqual(progress.chunksTotal ?? Number.POSITIVE_INFINITY);
      mostChunks = progress.chunksDone;
      return state === 'completed';
    });
    expect(seen).toEqual(stages.filter((stage) => seen.includes(stage)));
    expect(seen).toEqual(expect.arrayContaining(['schema', 'chunks', 'done']));

    const backup = expectCompleted(await backups.read(asked));
    const counted = await Promise.all(shards.map((shard) => onShard(backups.local, shard, countAllRows)));
    expect(counted[0]).toBeGreaterThan(90_000);
    expect(backup.shardDetails).toMatchObject(
      shards.map((shard, index) => ({
        shard,
        stage: 'done',
        rows: counted[index],
        snapshotAt: expect.any(String),
      })),
    );
    expect(backup).toMatchObject({
      rows: counted.reduce((sum, rows) => sum + rows),
      trigger: 'api',
      skewMs: expect.any(Number),
      manifest: { key: `backups/${asked}/manifest.json` },
      progress: { stage: 'done', etaMs: 0, chunksTotal: backup.progress.chunksDone },
    });
    expect(backup.progress.bytesPerSecond).toBeGreaterThan(0);
    expect(backup.progress.ratio).toBeGreaterThan(1);
    for (const { stages } of backup.shardDetails) {
      expect(stages.dump.bytes).toBeGreaterThan(stages.compress.bytes);
      expect(stages.store.bytes).toBe(stages.encrypt.bytes);
    }
    await expectOneTrace(traceId, asked);
    await sendSpan(backups.call, caller);
  });

  it('are taken by schedule, as the deployment has set one up, and keep others of their shards out', async () => {
    const scheduler = new SchedulerClient(awsConfig(backups.local));
    const { Schedules = [] } = await scheduler.send(new ListSchedulesCommand({}));
    const [seeded] = Schedules;
    const schedule = await scheduler.send(
      new GetScheduleCommand({ Name: seeded?.Name, GroupName: seeded?.GroupName }),
    );
    expect(schedule).toMatchObject({
      State: 'ENABLED',
      ScheduleExpression: 'cron(0 2 * * ? *)',
      ScheduleExpressionTimezone: 'UTC',
    });

    // What EventBridge Scheduler does when the time comes.
    const workflows = new SFNClient(awsConfig(backups.local));
    const { stateMachines = [] } = await workflows.send(new ListStateMachinesCommand({}));
    expect(stateMachines.map(({ stateMachineArn }) => stateMachineArn)).toContain(schedule.Target?.Arn);
    scheduled = randomUUID();
    await workflows.send(
      new StartExecutionCommand({
        stateMachineArn: schedule.Target?.Arn,
        name: scheduled,
        input: schedule.Target?.Input,
      }),
    );
    backups.adopt(scheduled);
    await waitFor(
      async () => {
        const { status, body } = await backups.call('GET', `${list}/${scheduled}`);
        return status === 200 && Object(body).state === 'running';
      },
      { what: `${scheduled} to run` },
    );
    const conflict = await backups.call('POST', `${root}/backup`, { body: { shards: ['shard-b'] } });
    expect(conflict).toMatchObject({ status: 409, body: { detail: expect.stringContaining(scheduled) } });
    expect(conflict.headers.get('location')).toBe(`${list}/${scheduled}`);
    expect(await backups.read(scheduled)).toMatchObject({
      id: scheduled,
      trigger: 'schedule',
      requestedBy: null,
      shards,
    });
    // It goes on as any other does.
    expect((await backups.call('POST', `${list}/${scheduled}/cancel`)).status).toBe(202);
    expect((await backups.ended(scheduled)).state).toBe('canceled');
  });

  it('are one trace each, from the request through every step and chunk to the commit', () =>
    expectWholeTrace(backups.call, caller));

  it('are listed page by page, the newest first', async () => {
    const ids: string[] = [];
    let query = '?limit=1';
    while (query !== '') {
      const { status, body } = await backups.call('GET', `${list}${query}`);
      expect({ status, body }).toMatchObject({ status: 200 });
      const page: { backups: unknown[]; nextToken: string | null } = Object(body);
      expect(page.backups.length).toBeLessThanOrEqual(1);
      ids.push(...page.backups.map((backup) => backupSummarySchema.parse(backup).id));
      query = page.nextToken === null ? '' : `?limit=1&nextToken=${encodeURIComponent(page.nextToken)}`;
    }
    expect(ids.slice(0, 2)).toEqual([scheduled, asked]);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('can be deleted, to the last version of the last object', async () => {
    expect((await backups.stored(asked)).length).toBeGreaterThan(10);
    const deleted = await backups.call('DELETE', `${root}/backup/${asked}`);
    expect(deleted).toMatchObject({ status: 202, body: { id: asked, state: 'deleting' } });
    await backups.remove(asked);
    expect(await backups.stored(asked)).toEqual([]);
    expect((await backups.call('DELETE', `${root}/backup/${asked}`)).status).toBe(404);
    expect(await backups.read(scheduled)).toMatchObject({ state: 'canceled' });
  });

  it('can be canceled, and leave nothing behind: no object, no transaction, no lock on their shards', async () => {
    // Slowed down, so that it is canceled while objects are on their way.
    await backups.breakage.inject({
      ...{ service: 's3', operation: 'PutObject', caller: 'RecoveryChunkPipeline' },
      ...{ times: 1_000, delayMs: 100 },
    });
    const id = await backups.start({ shards: ['shard-a'] });
    await backups.until(id, 'the chunks', ({ progress }) => progress.stage === 'chunks');
    await waitFor(async () => (await backups.stored(id)).some(({ key }) => key.includes('/rows/')), {
      what: 'the first rows to be stored',
    });
    const refused = await backups.call('DELETE', `${root}/backup/${id}`);
    expect(refused).toMatchObject({ status: 409, body: { detail: expect.stringContaining('cancel') } });

    const canceled = await backups.call('POST', `${list}/${id}/cancel`);
    expect(canceled).toMatchObject({ status: 202, body: { cancelRequested: true } });
    const ended = await backups.ended(id);
    expect(ended).toMatchObject({ state: 'canceled', verified: false, manifest: null, error: null });
    await backups.breakage.mend();
    await backups.released('shard-a');
    await backups.swept(id);
    expect((await backups.call('POST', `${list}/${id}/cancel`)).status).toBe(202);
    const unverified = await backups.call('POST', `${root}/encryption/verify`, { body: { backupId: id } });
    expect(unverified.status).toBe(409);
    const next = await backups.start({ shards: ['shard-a'] });
    await backups.call('POST', `${list}/${next}/cancel`);
    expect((await backups.ended(next)).state).toBe('canceled');
  });
});

/** Every function of the workflow logged under the caller's trace, and nothing of the backup is logged under another. */
async function expectOneTrace(traceId: string, backupId: string): Promise<void> {
  const logs = await functionLogs('Recovery');
  const traced = logs.filter(({ lines }) => lines.some((line) => line.traceId === traceId));
  for (const part of [
    ...['Api', 'Plan', 'HoldSnapshot', 'DumpSchema', 'PlanChunks', 'ChunkPipeline', 'VerifyChunk'],
    ...['Commit', 'Release'],
  ]) {
    expect(traced.map(({ name }) => name)).toContainEqual(expect.stringMatching(`Recovery${part}Fun`));
  }
  const lines = logs.flatMap((log) => log.lines);
  const requests = new Set(
    lines.flatMap((line) => (line.backupId === backupId ? [line.function_request_id] : [])),
  );
  const polls = (line: Record<string, unknown>) => line.http_method === 'GET';
  const untraced = lines.filter(
    (line) => requests.has(line.function_request_id) && line.traceId !== traceId && !polls(line),
  );
  expect(untraced).toEqual([]);
}

/** Nothing is missing of the trace of a backup, and every step hangs where it belongs. */
async function expectWholeTrace(call: ApiClient, caller: StoredSpan): Promise<void> {
  const request = `POST ${root}/backup`;
  const named = await wholeTrace(call, caller.traceId, [request, 'commit']);
  const [asked] = named(request);
  const [plan] = named('plan');
  expect(asked).toMatchObject({ parentSpanId: caller.spanId, service: 'mainstay-recovery' });
  expect(plan).toMatchObject({ parentSpanId: asked?.spanId });
  for (const step of ['hold-snapshot', 'dump-schema', 'plan-chunks', 'chunk-pipeline', 'release', 'commit']) {
    expect(named(step).map(({ parentSpanId }) => [step, parentSpanId])).toContainEqual([step, plan?.spanId]);
  }
  const chunks = named('chunk-pipeline').map(({ spanId }) => spanId);
  expect(named('verify-chunk').map(({ parentSpanId }) => parentSpanId)).toEqual(
    expect.arrayContaining(chunks),
  );
}
