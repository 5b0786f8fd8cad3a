import { DeleteCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CanaryMark } from '../../../functions/tracing/canary/canary-mark.ts';
import { canaryService } from '../../../functions/tracing/canary/canary-trace.ts';
import { longestWaitMs, runCanary } from '../../../functions/tracing/canary/run-canary.ts';
import { spanLimitsSchema } from '../../../functions/tracing/ingest/limits.ts';
import { traceKey } from '../../../functions/tracing/store/keys.ts';
import { SpanBlocks } from '../../../functions/tracing/store/span-blocks.ts';
import { SpanStore } from '../../../functions/tracing/store/span-store.ts';
import { startDynamo, type TestDynamo } from '../shared/dynamodb.ts';

const minute = 60_000;
let now = Date.parse('2026-05-04T10:58:00Z');
const clock = () => now;

describe('the canary', () => {
  let dynamo: TestDynamo;
  let store: SpanStore;
  let blocks: SpanBlocks;
  let mark: CanaryMark;
  beforeAll(async () => {
    dynamo = await startDynamo('tracing');
    const common = { client: dynamo.client, table: 'tracing', now: clock };
    store = new SpanStore({ ...common, retentionDays: 1 });
    blocks = new SpanBlocks(common);
    mark = new CanaryMark(dynamo.client, 'tracing');
  });
  afterAll(() => dynamo.stop());

  /** One run, some minutes after the one before; its metrics beside what it says. */
  const run = async (
    options: Partial<Parameters<typeof runCanary>[0]> = {},
    afterMs = 5 * minute,
  ): Promise<{ lost: string | undefined; counted: Record<string, number> }> => {
    now += afterMs;
    const counted: Record<string, number> = {};
    const addMetric = (name: string, _unit: string, value: number) => {
      counted[name] = value;
    };
    const pause = async (ms: number) => {
      now += ms;
    };
    const limits = spanLimitsSchema.parse({});
    const common = {
      store,
      blocks,
      mark,
      limits,
      retentionDays: 1,
      metrics: { addMetric },
      now: clock,
      pause,
    };
    const { lost } = await runCanary({ ...common, ...options });
    return { lost: lost?.traceId, counted };
  };
  const latest = async () => (await mark.latest(now))?.traceId ?? 'none';
  const found = { CanaryLost: 0, CanaryDelayMs: 0, SpansStored: 2, SpansInvalid: 0 };

  it('finds what the run before has written, and misses nothing at the first', async () => {
    expect(await run()).toMatchObject({ lost: undefined, counted: found });
    const first = await latest();
    // Over the end of an hour, which is another partition.
    expect(await run()).toMatchObject({ lost: undefined, counted: found });
    expect(await latest()).not.toBe(first);
    expect((await store.spansOf(first)).spans.map(({ service }) => service)).toEqual([
      canaryService,
      canaryService,
    ]);
  });

  it('tells of a trace that is gone, or that no search finds any more', async () => {
    const gone = await latest();
    const Key = { pk: traceKey(gone) };
    const { Items = [] } = await dynamo.client.send(
      new QueryCommand({
        TableName: 'tracing',
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': Key.pk },
      }),
    );
    for (const { sk } of Items) {
      await dynamo.client.send(new DeleteCommand({ TableName: 'tracing', Key: { ...Key, sk } }));
    }
    expect(await run()).toMatchObject({ lost: gone, counted: { CanaryLost: 1, CanaryDelayMs: 0 } });
    const unfound = await latest();
    const noBlocks = { services: async () => [], partitions: async () => [], blocks: async function* () {} };
    const { lost, counted } = await run({ blocks: noBlocks });
    expect([lost, counted.CanaryLost]).toEqual([unfound, 1]);
    // It looked for the new one as long as it may, and no longer.
    expect(counted.CanaryDelayMs).toBeGreaterThanOrEqual(longestWaitMs);
    expect(counted.CanaryDelayMs).toBeLessThan(longestWaitMs + 1_000);
    expect((await run()).counted).toMatchObject(found);
  });

  it('says how late a trace is found', async () => {
    let looked = 0;
    const late: SpanBlocks['partitions'] = async (...of) => {
      looked += 1;
      return looked > 1 && looked < 5 ? [] : blocks.partitions(...of);
    };
    const slow = {
      services: blocks.services.bind(blocks),
      partitions: late,
      blocks: blocks.blocks.bind(blocks),
    };
    // Three times not: after pauses of 50, 100 and 200 ms.
    expect((await run({ blocks: slow })).counted).toMatchObject({ CanaryLost: 0, CanaryDelayMs: 350 });
  });

  it('counts nothing when it can neither read nor write, and remembers nothing that was not acknowledged', async () => {
    const before = await latest();
    const counted: string[] = [];
    const metrics = { addMetric: (name: string) => counted.push(name) };
    const failing = { spansOf: store.spansOf.bind(store), putSpans: () => Promise.reject(new Error('no')) };
    await expect(run({ store: failing, metrics })).rejects.toThrow('no');
    expect(counted).toEqual([]);
    expect(await latest()).toBe(before);
    const blind = { latest: () => Promise.reject(new Error('no')), remember: mark.remember.bind(mark) };
    await expect(run({ mark: blind, metrics: { addMetric: () => counted.push('any') } })).rejects.toThrow(
      'no',
    );
    expect(counted).toEqual([]);
  });

  it('knows nothing of a trace when it was off for more than a day', async () => {
    expect((await run({}, 25 * 60 * minute)).lost).toBeUndefined();
  });
});
