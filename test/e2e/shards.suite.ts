import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as z from 'zod';
import {
  analysisViewSchema,
  balanceHealthSchema,
  recommendationSchema,
} from '../../functions/shards/balance/views.ts';
import { routeSchema } from '../../functions/shards/contract.ts';
import { healthReportSchema } from '../../functions/shards/health/model.ts';
import { insightsViewSchema } from '../../functions/shards/insights/model.ts';
import { waitFor } from '../support/wait-for.ts';
import { type ApiClient, apiClient } from './support/api.ts';
import { awsConfig } from './support/aws.ts';
import { onShard } from './support/databases.ts';
import { pairOf, Subject } from './support/failover-subject.ts';
import { Breakage } from './support/faults.ts';
import { functionNamed } from './support/functions.ts';
import type { LocalJson } from './support/local-platform.ts';
import { sharedPlatform } from './support/shared-platform.ts';

describe('the shard map', () => {
  let local: LocalJson;
  let call: ApiClient;
  beforeAll(async () => {
    local = await sharedPlatform();
    call = apiClient(local);
  });

  it('leads a key where PostgreSQL’s own hash leads it', async () => {
    const key = crypto.randomUUID();
    const { status, body } = await call('GET', `/api/database/route?kind=user&key=${key}`);
    expect(status).toBe(200);
    const route = routeSchema.parse(body);
    const { rows } = await onShard(local, route.shard, (client) =>
      client.query(
        'SELECT uuid_hash_extended($1, 0)::text AS hash, (uuid_hash_extended($1, 0) & 4095)::int AS slot',
        [key],
      ),
    );
    expect(rows).toEqual([{ hash: route.hash, slot: route.slot }]);
    const { body: sharding } = await call('GET', '/api/database/sharding');
    const owner = z
      .object({
        shards: z.array(
          z.object({
            shard: z.string(),
            ranges: z.array(z.object({ first: z.number(), last: z.number() })),
          }),
        ),
      })
      .parse(sharding)
      .shards.filter(({ ranges }) =>
        ranges.some(({ first, last }) => first <= route.slot && route.slot <= last),
      );
    expect(owner.map(({ shard }) => shard)).toEqual([route.shard]);
  });

  it('refuses a key that is none, by its field', async () => {
    const { status, body } = await call('GET', '/api/database/route?kind=user&key=nobody');
    expect(status).toBe(422);
    expect(body).toMatchObject({ errors: [{ field: 'query.key' }] });
  });
});

describe('the health of the shards', () => {
  const shard = 'shard-a';
  let local: LocalJson;
  let call: ApiClient;
  let subject: Subject;
  let breakage: Breakage;
  beforeAll(async () => {
    local = await sharedPlatform();
    call = apiClient(local);
    subject = await Subject.of(local);
    breakage = new Breakage(local);
    // It notes which instances there are; by itself it does once a minute.
    await subject.watchdog();
  }, 60_000);
  afterAll(() => breakage.mend());

  const report = async () => {
    const { status, body } = await call('GET', '/api/database/health');
    expect({ status, body }).toMatchObject({ status: 200 });
    return healthReportSchema.parse(body);
  };
  /** Answers are up to five seconds old. */
  const reported = (what: string, wished: (found: Awaited<ReturnType<typeof report>>) => boolean) =>
    waitFor(
      async () => {
        const found = await report();
        return wished(found) && found;
      },
      { what, intervalMs: 500, timeoutMs: 60_000 },
    );

  it('is good while writers write and standbys follow', async () => {
    const { source, shards } = await reported('all to be healthy', ({ state }) => state === 'healthy');
    expect(source).toBe('live');
    for (const { writer, readers } of shards) {
      expect(writer).toMatchObject({ role: 'writer', reachable: true });
      expect(readers).toMatchObject([{ role: 'reader', reachable: true, lag: { streaming: true } }]);
    }
  }, 90_000);

  it('is degraded, and says why, while a standby is stopped', async () => {
    const { identifier: cluster, ...description } = await subject.cluster(shard);
    const { reader } = pairOf({ identifier: cluster, ...description });
    await subject.control('conduct', { cluster, restartAfterMs: null });
    await subject.control('signal', { cluster, instance: reader.identifier, signal: 'SIGKILL' });
    const { shards } = await reported('a shard to be degraded', ({ state }) => state === 'degraded');
    const found = shards.find((each) => each.shard === shard);
    expect(found).toMatchObject({
      state: 'degraded',
      reasons: [expect.objectContaining({ instance: reader.identifier })],
      writer: { reachable: true },
      readers: [{ reachable: false, role: null }],
    });
    await subject.control('conduct', { cluster, restartAfterMs: 10_000 });
    await subject.control('start', { cluster, instance: reader.identifier });
    await reported('all to be healthy again', ({ state }) => state === 'healthy');
  }, 120_000);

  it('is down while writers hang, which costs the time that one of them is given', async () => {
    const client = await functionNamed(local, 'ShardsHealth');
    const silence = async (kind: 'silent' | 'open') => {
      for (const { name } of local.shards) {
        const { identifier: cluster, ...description } = await subject.cluster(name);
        const { writer } = pairOf({ identifier: cluster, ...description });
        for (const endpoint of ['writer', writer.identifier]) {
          await subject.control('traffic', { cluster, endpoint, condition: { kind }, client });
        }
      }
    };
    await silence('silent');
    try {
      const { shards } = await reported('both to be down', (found) =>
        found.shards.every(({ state }) => state === 'down'),
      );
      expect(shards).toHaveLength(2);
      for (const { reasons, tookMs, readers } of shards) {
        expect(reasons).toMatchObject([{ code: 'timeout' }]);
        expect(tookMs).toBeGreaterThanOrEqual(2_900);
        expect(tookMs).toBeLessThan(5_900);
        expect(readers).toMatchObject([{ reachable: true }]);
      }
    } finally {
      await silence('open');
    }
    await reported('all to be healthy again', ({ state }) => state === 'healthy');
  }, 120_000);

  it('is what was recorded last while nobody can look', async () => {
    const FunctionName = await functionNamed(local, 'ShardsHealth');
    const Payload = JSON.stringify({ record: true });
    await new LambdaClient(awsConfig(local)).send(new InvokeCommand({ FunctionName, Payload }));
    await breakage.inject({
      ...{ service: 'lambda', operation: 'Invoke', caller: 'ShardsApi', times: 1_000 },
      error: { status: 429, code: 'TooManyRequestsException' },
    });
    const found = await reported('the record', ({ source }) => source === 'recorded');
    expect(found.shards.map(({ shard: name }) => name)).toEqual(['shard-a', 'shard-b']);
    await breakage.mend();
    await reported('a look again', ({ source }) => source === 'live');
  }, 90_000);

  it('is analyzed, says what may be moved, and gives a plan that keeps what it promises', async () => {
    const analyze = '/api/database/rebalancing/analyze';
    const { status } = await call('GET', `${analyze}?fresh=true`);
    expect([200, 202]).toContain(status);
    const { variance, shards, slots, hotTenants } = await waitFor(
      async () => analysisViewSchema.safeParse((await call('GET', analyze)).body).data,
      { what: 'an analysis', timeoutMs: 60_000 },
    );
    expect(shards.map(({ error, missing, misplaced }) => ({ error, missing, misplaced }))).toEqual(
      shards.map(() => ({ error: null, missing: [], misplaced: { slots: 0, rows: 0 } })),
    );
    expect(variance).toBeGreaterThan(0);
    expect(slots.length).toBeGreaterThan(0);
    expect(hotTenants.length).toBeGreaterThan(0);
    for (const { shard, rows } of shards) {
      const counted = await onShard(local, shard, (client) =>
        client.query(
          `SELECT (SELECT count(*) FROM platform.users) + (SELECT count(*) FROM activity.events) AS "user",
                  (SELECT count(*) FROM content.contents) AS content`,
        ),
      );
      expect(
        counted.rows.map(({ user, content }) => ({ user: Number(user), content: Number(content) })),
      ).toEqual([rows]);
    }
    const { body } = await call('GET', '/api/database/rebalancing/health');
    expect(balanceHealthSchema.parse(body).shards.map(({ shard }) => shard)).toEqual(
      shards.map(({ shard }) => shard),
    );
    const plan = await call('GET', '/api/database/rebalancing/recommend?threshold=0.05');
    const { before, after } = recommendationSchema.parse(plan.body);
    expect(before.variance).toBeCloseTo(variance ?? 0, 3);
    expect(after.variance).toBeLessThanOrEqual(before.variance);
  });
});

describe('what the shards’ statistics tell', () => {
  it('is read from every shard, with the latest maintenance, which has changed nothing', async () => {
    const local = await sharedPlatform();
    const call = apiClient(local);
    const FunctionName = await functionNamed(local, 'ShardsMaintain');
    const { FunctionError } = await new LambdaClient(awsConfig(local)).send(
      new InvokeCommand({ FunctionName, Payload: '{}' }),
    );
    expect(FunctionError).toBeUndefined();
    const { status, body } = await call('GET', '/api/database/insights');
    expect({ status, body }).toMatchObject({ status: 200 });
    const { shards } = insightsViewSchema.parse(body);
    expect(shards).toMatchObject(
      ['shard-a', 'shard-b'].map((shard) => ({
        ...{ shard, reason: null, unseenInstances: [], slowStatements: expect.any(Array) },
        maintenance: { acted: false, reason: null, cleanUp: [] },
      })),
    );
    expect(await call('GET', '/api/database/insights?shard=none')).toMatchObject({ status: 404 });
  }, 60_000);
});
