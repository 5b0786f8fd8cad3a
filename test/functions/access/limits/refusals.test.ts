import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { flushMs, RefusalLog } from '../../../../functions/access/limits/refusal-log.ts';
import { RefusalStore, type Refusals } from '../../../../functions/access/limits/refusal-store.ts';
import { startDynamo, type TestDynamo } from '../../shared/dynamodb.ts';
import { takeOutput } from '../../shared/output.ts';
import { admitted, midnight, newCaller, policyOf, processOf, request, route } from './samples.ts';
import { serve } from './serve.ts';

const hourMs = 3_600_000;

describe('refused requests', () => {
  let now: number;
  let added: Refusals[];
  let down: boolean;
  let log: RefusalLog;
  beforeEach(() => {
    now = midnight;
    added = [];
    down = false;
    log = new RefusalLog(
      async (refusals) => {
        if (down) throw new Error('down');
        added.push(refusals);
      },
      () => now,
    );
  });

  it('are reported at once the first time, then together at most every ten seconds', async () => {
    for (let i = 0; i < 100; i++) {
      await log.note('free', 'key1', 'GET /a');
      now += 150;
    }
    expect(added.map(({ count }) => count)).toEqual([1, 67]);
    now += flushMs;
    await log.flushDue();
    expect(added.map(({ count }) => count)).toEqual([1, 67, 32]);
  });

  it('of many subjects are counted together beyond the first twenty', async () => {
    await log.note('without-key', 'first', 'GET /a');
    for (let i = 0; i < 1_000; i++) await log.note('without-key', `address${i}`, 'GET /a');
    now += flushMs;
    await log.flushDue();
    expect(added).toHaveLength(1 + 20 + 1);
    expect(added.at(-1)).toEqual({
      policy: 'without-key',
      subject: '*',
      route: '*',
      count: 980,
      lastAt: midnight,
    });
  });

  it('are kept while they cannot be reported', async () => {
    down = true;
    await log.note('free', 'key1', 'GET /a');
    down = false;
    now += flushMs;
    await log.note('free', 'key1', 'GET /a');
    expect(added.map(({ count }) => count)).toEqual([2]);
  });
});

describe('GET /api/access/limits', () => {
  const table = 'refusals';
  let dynamo: TestDynamo;
  let now = midnight;
  let call: ReturnType<typeof serve>;

  beforeAll(async () => {
    dynamo = await startDynamo(table, 'limits');
    const policy = policyOf({
      routes: [{ route: 'POST /api/cdn/purge', per: 'tenant', requests: 10, windowSeconds: 1 }],
    });
    call = serve({ client: dynamo.client, table, policy, now: () => now });
    const store = new RefusalStore(dynamo.client, table);
    const add = (subject: string, count: number, hoursAgo: number) =>
      store.add({ policy: 'free', subject, route: 'GET /a', count, lastAt: midnight - hoursAgo * hourMs });
    await add('a', 5, 0);
    await add('b', 3, 0);
    await add('b', 4, 1);
    await add('c', 100, 24);
  });
  afterAll(async () => {
    takeOutput();
    await dynamo.stop();
  });

  it('answers who was limited where, the most limited first, over so many hours', async () => {
    const { status, body } = await call('getLimits');
    expect(status).toBe(200);
    expect(body).toMatchObject({ complete: true, nextToken: null });
    expect(body.limited).toEqual([
      { policy: 'free', subject: 'b', route: 'GET /a', count: 7, lastAt: '2026-11-21T00:00:00.000Z' },
      { policy: 'free', subject: 'a', route: 'GET /a', count: 5, lastAt: '2026-11-21T00:00:00.000Z' },
    ]);
    expect((await call('getLimits', { query: 'hours=25' })).body.limited).toMatchObject([
      { subject: 'c' },
      { subject: 'b' },
      { subject: 'a' },
    ]);
    expect((await call('getLimits', { query: 'hours=169' })).status).toBe(400);
  });

  it('answers in pages, which begin at the same hour', async () => {
    const first = await call('getLimits', { query: 'limit=1' });
    expect(first.body.limited).toMatchObject([{ subject: 'b' }]);
    now += 30 * hourMs;
    const second = await call('getLimits', { query: `limit=1&nextToken=${first.body.nextToken}` });
    expect(second.body).toMatchObject({ limited: [{ subject: 'a' }], nextToken: null });
    now = midnight;
  });

  it('answers the limits in force', async () => {
    const { body } = await call('getLimits');
    expect(body.policies).toMatchObject([
      { name: 'free', requests: 100, windowSeconds: 60, per: 'key', route: null },
      { name: 'starter', requests: 1_000 },
      { name: 'professional', requests: 5_000 },
      { name: 'enterprise', requests: 50_000 },
      { name: 'without-key', requests: 100, windowSeconds: 900, per: 'address' },
      { name: 'failed-credentials', requests: 5, windowSeconds: 900, per: 'address' },
      { name: 'POST /api/cdn/purge per tenant in 1 s', per: 'tenant', route: 'POST /api/cdn/purge' },
    ]);
  });

  it('shows what the limits refused', async () => {
    const caller = newCaller();
    const limits = processOf(dynamo.client, { tiers: { free: 1 } }, () => now);
    for (let i = 0; i < 3; i++) await admitted(limits.ofCaller(request(), caller, route));
    now += flushMs;
    await limits.ofCaller(request(), newCaller(), route);
    const shown = await serve({
      client: dynamo.client,
      table: 'limits',
      policy: policyOf({}),
      now: () => now,
    })('getLimits');
    expect(shown.body.limited).toMatchObject([
      { policy: 'free', subject: caller.keyId, route: 'GET /api/things', count: 2 },
    ]);
  });
});
