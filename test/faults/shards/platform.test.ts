import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ShardClient } from '../../../client/shard-client.ts';
import { shardingViewSchema } from '../../../functions/shards/contract.ts';
import { MapApi } from '../../client/support/map-api.ts';
import { type ApiClient, apiClient } from '../../e2e/support/api.ts';
import { pairOf } from '../../e2e/support/failover-subject.ts';
import { withConnection } from '../../e2e/support/ledger.ts';
import { waitFor } from '../../support/wait-for.ts';
import { Deployment, quick } from '../failover/support/deployment.ts';
import { settle } from '../failover/support/trial.ts';
import { NumberedInserts, tableSql } from './support/numbered-inserts.ts';

jest.setTimeout(900_000);

const shard = 'shard-a';
const password = 'a service';
/** How long a write may wait for a writer, and a connection for an answer. */
const bounds = { writerWaitMs: 5_000, connectTimeoutMs: 1_000, statementTimeoutMs: 2_000 };
/** What a write may take in all: its wait, an attempt that has begun by then, and a busy machine. */
const mostMs = bounds.writerWaitMs + bounds.connectTimeoutMs + bounds.statementTimeoutMs + 4_000;
/** Within which a shard takes writes again after it has lost its writer, and the map is followed once it has moved. */
const [backMs, followedMs] = [60_000, 30_000];

let deployment: Deployment;
let call: ApiClient;
let authorities: string[];

const onWriter = async <T extends object>(
  name: string,
  sql: string,
  values: unknown[] = [],
): Promise<T[]> => {
  const route = await deployment.route(name);
  return withConnection(route, async (client) => (await client.query<T>(sql, values)).rows, 60_000);
};
const clientOf = (options: object = {}) =>
  new ShardClient({
    ...{ api: deployment.local.baseUrl, apiKey: deployment.local.adminKey, user: 'service', password },
    ...{ authorities, ...bounds, ...options },
  }).start();
/** Keys that lie on a shard. */
const keysOn = (client: ShardClient, name: string, count: number): string[] => {
  const keys: string[] = [];
  while (keys.length < count) {
    const key = crypto.randomUUID();
    if (client.route(key, 'user').shard === name) keys.push(key);
  }
  return keys;
};
const sharding = async () => shardingViewSchema.parse((await call('GET', '/api/database/sharding')).body);
const rowsOf = (name: string, run: string) =>
  onWriter<{ writer: number; number: number }>(
    name,
    'SELECT writer, number FROM public.numbered WHERE run = $1',
    [run],
  );

beforeAll(async () => {
  deployment = await Deployment.start({
    failover: quick,
  });
  call = apiClient(deployment.local);
  authorities = [(await deployment.route(shard)).login.ca];
  for (const { name } of deployment.local.shards) {
    await onWriter(name, `CREATE ROLE service LOGIN PASSWORD '${password}'`);
    await onWriter(name, 'GRANT mainstay_client TO service');
    await onWriter(name, tableSql);
    await onWriter(name, 'GRANT ALL ON public.numbered TO service');
  }
});
afterAll(() => deployment?.stop());

describe.each(['SIGKILL', 'SIGSTOP'] as const)(
  'services with the client, while the writer gets %s',
  (signal) => {
    it('lose nothing that was acknowledged, write nothing to the old one, and fail in bounded time', async () => {
      await settle(deployment, shard);
      const { identifier: cluster, ...description } = await deployment.cluster(shard);
      const { writer } = pairOf({ identifier: cluster, ...description });
      const { epoch } = await deployment.shard(shard);
      await deployment.control('conduct', { cluster, restartAfterMs: null, synchronous: true });
      await waitFor(
        async () =>
          (
            await onWriter<{ s: string }>(shard, `SELECT current_setting('synchronous_standby_names') AS s`)
          )[0]?.s !== '',
        { what: 'commits to wait' },
      );
      const client = await clientOf();
      // One that hears nothing of the failover: its API gives the map of before for ever.
      const frozen = await MapApi.start(await sharding());
      const stale = await clientOf({ api: frozen.url });
      const keys = keysOn(client, shard, 4);
      const inserts = new NumberedInserts(client, keys, `${signal} ${Date.now()}`);
      const unaware = new NumberedInserts(stale, keys, `${signal}, stale ${Date.now()}`);
      try {
        for (const each of [inserts, unaware]) {
          await waitFor(() => each.acknowledged.length > 50, { what: 'services to write' });
        }
        await deployment.control('signal', { cluster, instance: writer.identifier, signal });
        const struckAt = Date.now();
        await deployment.alarm(shard);
        const { last } = await deployment.recorded(
          shard,
          'failed over',
          ({ state, last: latest }) => state === 'failed_over' && (latest?.toEpoch ?? 0) > epoch,
          240_000,
        );
        const served = Date.now();
        await waitFor(() => inserts.acknowledged.filter(({ sentAt }) => sentAt > served).length > 50, {
          what: 'services to write again',
        });
        // The old one comes back, where whoever manages the cluster has not seen to that.
        await deployment.control('start', { cluster, instance: writer.identifier });
        await sleep(2 * bounds.writerWaitMs);
        frozen.answer = await sharding();
        const told = Date.now();
        await waitFor(() => unaware.acknowledged.some(({ sentAt }) => sentAt > told), {
          what: 'the stale service to follow a map of now',
        });
        await Promise.all([inserts.stop(), unaware.stop()]);

        for (const each of [inserts, unaware]) {
          expect(each.unexpected).toEqual([]);
          expect(each.lost(await rowsOf(shard, each.run))).toEqual([]);
          const firstWriteAt = Date.parse(last?.timeline.firstWriteAt ?? '');
          expect(firstWriteAt).toBeGreaterThan(0);
          expect(
            each.acknowledged.filter(
              ({ instance, sentAt }) => instance !== last?.target && sentAt > firstWriteAt,
            ),
          ).toEqual([]);
          expect(Math.max(0, ...each.failed.map(({ tookMs }) => tookMs))).toBeLessThan(mostMs);
        }
        expect(inserts.longestGapMs(struckAt)).toBeLessThan(backMs);
      } finally {
        await Promise.all([inserts.stop(), unaware.stop()]);
        for (const each of [client, stale]) each.close();
        frozen.stop();
        await deployment.control('conduct', { cluster, restartAfterMs: 10_000, synchronous: false });
      }
    });
  },
);

describe('services with the client, while the map moves', () => {
  const move = (epoch: number, slot: number, from: string, to: string) =>
    call('POST', '/api/database/sharding/slots', {
      body: { epoch, reason: 'a scenario', moves: [{ slots: [{ first: slot, last: slot }], from, to }] },
    });

  it('follow it in time and without an error; of those who change the same map one does', async () => {
    await settle(deployment, shard);
    const client = await clientOf();
    const [key = ''] = keysOn(client, shard, 1);
    const { slot } = client.route(key, 'user');
    const to = 'shard-b';
    const inserts = new NumberedInserts(client, [key], `moves ${Date.now()}`);
    try {
      await waitFor(() => inserts.acknowledged.length > 20, { what: 'a service to write' });
      const { mapEpoch } = await sharding();
      const answers = await Promise.all(
        [slot, (slot + 1) % 4_096].map(async (each) => {
          const from = (await sharding()).shards.find(({ ranges }) =>
            ranges.some(({ first, last }) => first <= each && each <= last),
          )?.shard;
          return move(mapEpoch, each, from ?? '', from === to ? shard : to);
        }),
      );
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
      // Whoever lost looks again.
      if (answers[0]?.status === 409) {
        expect(await move(mapEpoch + 1, slot, shard, to)).toMatchObject({ status: 200 });
      }
      const movedAt = Date.now();
      await waitFor(() => client.route(key, 'user').shard === to, {
        what: 'the client to follow the map',
        timeoutMs: followedMs,
      });
      const followedAt = Date.now();
      await waitFor(() => inserts.acknowledged.filter(({ sentAt }) => sentAt > followedAt).length > 20, {
        what: 'the service to write there',
      });
      await inserts.stop();
      expect([inserts.unexpected, inserts.failed]).toEqual([[], []]);
      expect(followedAt - movedAt).toBeLessThan(followedMs);
      const { instances } = await deployment.cluster(to);
      const there = new Set(instances.map(({ identifier }) => identifier));
      expect(
        inserts.acknowledged.filter(({ sentAt, instance }) => sentAt > followedAt && !there.has(instance)),
      ).toEqual([]);
      const rows = [...(await rowsOf(shard, inserts.run)), ...(await rowsOf(to, inserts.run))];
      expect(inserts.lost(rows)).toEqual([]);
      expect(rows).toHaveLength(inserts.acknowledged.length);
      const { mapEpoch: now } = await sharding();
      expect(now).toBeGreaterThan(mapEpoch);
    } finally {
      await inserts.stop();
      client.close();
    }
  });
});
