import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { control } from '../../../functions/failover/control.ts';
import { claim } from '../../../functions/failover/operation-record.ts';
import { requireCurrent } from '../../../functions/failover/phases/require-current.ts';
import { newRecord } from '../../../functions/failover/record.ts';
import { refusalProblem } from '../../../functions/failover/refusal-problem.ts';
import { statusOf } from '../../../functions/failover/status.ts';
import { shardStatusSchema } from '../../../functions/failover/status-model.ts';
import { FailoverStore } from '../../../functions/failover/store.ts';
import { tellUntold } from '../../../functions/failover/teller.ts';
import { startDynamo, type TestDynamo } from '../shared/dynamodb.ts';
import { policy } from './support/world.ts';

const table = 'shards';
const at = '2026-11-21T00:00:00.000Z';
const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
const moment = { now: Date.parse(at), traceparent };
const shard = {
  ...{ name: 'main', clusterIdentifier: 'adopted', resourceId: 'cluster-A', database: 'platform' },
  writer: { host: 'db', port: 1 },
  epoch: 4,
  state: 'active' as const,
};
const act = {
  kind: 'act',
  action: 'replica',
  writerInstance: 'a',
  lagBytes: 0,
  target: { instance: 'b', host: 'db', port: 2 },
  writer: { host: 'db', port: 2 },
} as const;
const facts = { detectedAt: at, writerReachable: false };
const asked = { kind: 'failover', trigger: 'request', reason: 'asked', requestedBy: 'key' } as const;
const claimed = () => claim(newRecord('main', at), act, asked, shard, facts, moment);

let dynamo: TestDynamo;
let store: FailoverStore;
beforeAll(async () => {
  dynamo = await startDynamo(table);
  store = new FailoverStore(dynamo.client, table);
});
afterAll(() => dynamo.stop());

describe('the items of failover', () => {
  beforeEach(async () => {
    await dynamo.client.send(
      new PutCommand({ TableName: table, Item: { pk: 'SHARD', sk: 'main', ...shard } }),
    );
  });

  it('are claimed once, and the map moves once', async () => {
    const record = claimed();
    const saved = await Promise.all([store.save(record), store.save(record), store.save(record)]);
    expect(saved.filter((each) => each !== undefined)).toHaveLength(1);
    await requireCurrent(store, 'main', record.operation);

    const promotion = { epoch: 5, instance: 'b', firstWriteAt: at };
    const move = { from: 4, writer: act.writer, promotion };
    expect(await Promise.all([store.move('main', move), store.move('main', move)])).toEqual([true, true]);
    expect(await store.shard('main')).toMatchObject({ epoch: 5, writer: { port: 2 }, promotion });
    // Done already is no reason to stop; having left in another way is.
    await requireCurrent(store, 'main', record.operation);
    expect(await store.move('main', { ...move, promotion: { ...promotion, instance: 'c' } })).toBe(false);
    await expect(requireCurrent(store, 'main', { ...record.operation, name: 'main-5-2' })).rejects.toThrow(
      'not what',
    );

    const known = await store.know('main');
    expect(known).toMatchObject({ record: { state: 'failing_over', version: 1 }, probe: undefined });
    expect(await store.know('other')).toBeUndefined();
    expect(await store.records()).toHaveLength(1);
  });

  it('keep a pause until it is resumed, and tell of both once', async () => {
    const by = { by: 'key', reason: 'maintenance' };
    for (let twice = 0; twice < 2; twice++) await control(store, 'other', 'pause', by, moment);
    const told: string[] = [];
    const deps = {
      store,
      announcer: {
        announce: async (_source: string, name: string) => {
          told.push(name);
        },
      },
      record: async ({ action }: { action: string }) => {
        told.push(action);
      },
      log: { warn: () => {} },
    };
    const paused = await store.record('other');
    if (paused === undefined) throw new Error('nothing was written');
    expect(paused.paused).toMatchObject(by);
    expect(await tellUntold(deps, paused)).toMatchObject({ untold: [] });
    expect(told).toEqual(['failover.paused', 'failover.paused']);
    // What could not be told is told by whoever looks next.
    const resumed = await control(store, 'other', 'resume', by, moment);
    const failing = { ...deps, record: async () => Promise.reject(new Error('no')) };
    expect(await tellUntold(failing, resumed)).toBe(resumed);
    expect((await store.record('other'))?.untold).toHaveLength(1);
    expect((await store.record('other'))?.paused).toBeUndefined();
  });
});

describe('the API of failover', () => {
  it('says of a shard all that its schema promises', () => {
    const status = statusOf(shard, policy, { record: claimed(), probe: undefined, instances: undefined });
    expect(shardStatusSchema.parse(status)).toMatchObject({
      ...{ state: 'failing_over', action: 'replica', epoch: 4, consecutiveFailures: 0, lastProbe: null },
      operation: { target: 'b', toEpoch: 5, kind: 'failover' },
    });
    const paused = { ...newRecord('main', at), paused: { since: at, by: 'key', reason: 'maintenance' } };
    expect(statusOf(shard, policy, { record: paused, probe: undefined, instances: undefined }).state).toBe(
      'paused',
    );
  });

  it('answers a refusal with its code, the field that would change it, and what would be lost', () => {
    const refused = { shard: 'main', outcome: 'refused', reason: 'no' } as const;
    expect(refusalProblem({ ...refused, code: 'lag-too-high', lagBytes: 7 })).toMatchObject({
      ...{ status: 409, extensions: { code: 'lag-too-high', lagBytes: 7 } },
      errors: [{ field: 'body.acceptDataLossBytes' }],
    });
    expect(refusalProblem({ ...refused, code: 'unknown-target' })).toMatchObject({
      ...{ status: 422, errors: [{ field: 'body.target' }] },
    });
    expect(refusalProblem({ ...refused, code: 'in-progress' })).toMatchObject({ status: 409, errors: [] });
  });
});
