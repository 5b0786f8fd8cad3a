import '../../shared/output.ts';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ulid } from 'ulid';
import * as z from 'zod';
import { attemptDelivery } from '../../../../functions/access/webhooks/attempt.ts';
import { deliveryIdSchema } from '../../../../functions/access/webhooks/ids.ts';
import { startDynamo, type TestDynamo } from '../../shared/dynamodb.ts';
import { takeOutput } from '../../shared/output.ts';
import { Api, base, itemsSchema } from './api.ts';
import { table, World, workOf } from './support.ts';

let dynamo: TestDynamo;
let world: World;
let api: Api;

beforeAll(async () => {
  dynamo = await startDynamo(table);
});
afterAll(() => dynamo.stop());
beforeEach(() => {
  world = new World(dynamo);
  api = new Api(world);
  takeOutput();
});

const ended = (now: number) => ({ state: 'failed', finishedAt: new Date(now).toISOString() }) as const;

describe('a delivery', () => {
  const deliver = async (answer: { status: number }) => {
    const { id } = await api.create();
    const { json, headers } = await api.send('POST', `${base}/${id}/test`);
    const deliveryId = deliveryIdSchema.parse(json.id);
    const record = await world.deliveries.find(id, deliveryId);
    if (record === undefined) throw new Error('It is not there');
    world.receive = () => answer;
    await attemptDelivery(world.deps, workOf(record));
    return { id, record, path: z.string().parse(headers.location) };
  };

  it('is made by a test, whatever the filters are', async () => {
    const { id } = await api.create({ events: ['backup.*'] });
    const answer = await api.send('POST', `${base}/${id}/test`);
    expect(answer).toMatchObject({
      status: 202,
      headers: { location: `${base}/${id}/deliveries/${answer.json.id}` },
      json: { type: 'webhook.test', state: 'queued', attempts: [] },
    });
    expect(world.started).toEqual([`${answer.json.id}-1`]);
  });

  it('shows every attempt, and what was sent', async () => {
    const { path, record } = await deliver({ status: 500 });
    expect((await api.send('GET', path)).json).toMatchObject({
      state: 'running',
      progress: { attempts: 1, attemptsAtMost: 10 },
      attempts: [{ run: 1, number: 1, status: 500, durationMs: 0, nextAttemptAt: expect.any(String) }],
      nextAttemptAt: new Date(world.now + 5_000).toISOString(),
      body: record.body,
    });
  });

  it('is listed by state, the newest first, page by page', async () => {
    const { id } = await api.create();
    const ids: string[] = [];
    for (let count = 0; count < 3; count++) {
      world.now += 1_000;
      const { json } = await api.send('POST', `${base}/${id}/test`);
      ids.unshift(z.string().parse(json.id));
    }
    const middle = deliveryIdSchema.parse(ids[1]);
    const record = await world.deliveries.find(id, middle);
    if (record !== undefined) await attemptDelivery(world.deps, workOf(record));
    const listed = async (query: string) => {
      const { json } = await api.send('GET', `${base}/${id}/deliveries${query}`);
      return { ids: itemsSchema.parse(json.deliveries).map((each) => each.id), next: json.nextToken };
    };
    expect(await listed('')).toEqual({ ids, next: null });
    expect(await listed('?state=completed')).toEqual({ ids: [middle], next: null });
    expect((await listed('?state=queued')).ids).toEqual([ids[0], ids[2]]);
    const first = await listed('?limit=2');
    expect(first.ids).toEqual(ids.slice(0, 2));
    expect(await listed(`?limit=2&nextToken=${first.next}`)).toEqual({ ids: ids.slice(2), next: null });
  });

  it('is replayed as a run of its own when it has ended', async () => {
    const { path, id, record } = await deliver({ status: 410 });
    expect(await api.send('POST', `${path}/replay`)).toMatchObject({ status: 409 });
    await api.send('PATCH', `${base}/${id}`, { state: 'enabled' });
    expect(await api.send('POST', `${path}/replay`)).toMatchObject({
      status: 202,
      headers: { location: path },
      json: {
        state: 'queued',
        progress: { attempts: 0 },
        attempts: [{ run: 1 }],
        error: null,
        finishedAt: null,
      },
    });
    expect(world.started).toContain(`${record.id}-2`);
    expect(await api.send('POST', `${path}/replay`)).toMatchObject({ status: 409 });
  });

  it('that cannot be started has failed, and can be replayed', async () => {
    const { id } = await api.create();
    api.startFails = new Error('no room');
    expect(await api.send('POST', `${base}/${id}/test`)).toMatchObject({ status: 500 });
    const { json } = await api.send('GET', `${base}/${id}/deliveries`);
    const [delivery] = itemsSchema.parse(json.deliveries);
    expect(delivery).toMatchObject({ state: 'failed', error: { code: 'interrupted' } });
    api.startFails = undefined;
    expect(await api.send('POST', `${base}/${id}/deliveries/${delivery?.id}/replay`)).toMatchObject({
      status: 202,
    });
  });

  it('is the same one when its request is repeated, run anew only if it could not be started', async () => {
    const { id } = await api.create();
    const test = () => api.send('POST', `${base}/${id}/test`);
    api.workId = ulid(world.now);
    api.startFails = new Error('no room');
    expect(await test()).toMatchObject({ status: 500 });
    api.startFails = undefined;
    world.now += 60_000;
    const first = await test();
    expect(first).toMatchObject({ status: 202, json: { state: 'queued' } });
    expect((await test()).json).toEqual(first.json);
    const deliveryId = deliveryIdSchema.parse(first.json.id);
    expect(new Set(world.started)).toEqual(new Set([`${deliveryId}-2`]));
    const record = await world.deliveries.find(id, deliveryId);
    if (record === undefined) throw new Error('It is not there');
    await attemptDelivery(world.deps, workOf(record));
    expect(await test()).toMatchObject({ status: 202, json: { id: deliveryId, state: 'completed' } });
    expect(new Set(world.started).size).toBe(1);
    const { json } = await api.send('GET', `${base}/${id}/deliveries`);
    expect(json.deliveries).toHaveLength(1);
  });

  it('is replayed once by a request that is repeated', async () => {
    const { path, record } = await deliver({ status: 500 });
    await world.deliveries.end(record.webhookId, record.id, 1, ended(world.now));
    api.workId = ulid(world.now);
    const replay = () => api.send('POST', `${path}/replay`);
    const first = await replay();
    expect(first).toMatchObject({ status: 202, headers: { location: path }, json: { state: 'queued' } });
    expect(await replay()).toMatchObject({ status: 202, headers: { location: path }, json: first.json });
    world.receive = () => ({ status: 200 });
    await attemptDelivery(world.deps, { ...workOf(record), run: 2 });
    expect(await replay()).toMatchObject({ status: 202, json: { state: 'completed' } });
    expect(new Set(world.started)).toEqual(new Set([`${record.id}-1`, `${record.id}-2`]));
    api.workId = ulid(world.now + 1);
    expect(await replay()).toMatchObject({ status: 202, json: { state: 'queued' } });
    expect(world.started.at(-1)).toBe(`${record.id}-3`);
  });

  it('whose replay could not be started is replayed anew by a request that is repeated', async () => {
    const { path, record } = await deliver({ status: 200 });
    api.workId = ulid(world.now);
    const replay = () => api.send('POST', `${path}/replay`);
    api.startFails = new Error('no room');
    for (let run = 2; run <= 9; run++) expect(await replay()).toMatchObject({ status: 500 });
    api.startFails = undefined;
    expect(await replay()).toMatchObject({ status: 202, json: { state: 'queued' } });
    expect(world.started).toEqual([`${record.id}-1`, `${record.id}-10`]);
    await world.deliveries.end(record.webhookId, record.id, 10, ended(world.now));
    expect(await replay()).toMatchObject({ status: 409 });
    expect((await api.send('GET', path)).json).toMatchObject({ state: 'failed' });
  });

  it.each([
    ['suspended', 'suspended'],
    [undefined, 'deleted'],
  ] as const)('is neither made nor replayed for a tenant that is %s', async (state, word) => {
    const tenantId = 'acme-silent';
    const { id } = await api.create({ tenantId });
    const { headers } = await api.send('POST', `${base}/${id}/test`);
    const path = z.string().parse(headers.location);
    const deliveryId = deliveryIdSchema.parse(path.split('/').at(-1));
    await world.deliveries.end(id, deliveryId, 1, ended(world.now));
    world.states.set(tenantId, state);
    for (const asked of [`${base}/${id}/test`, `${path}/replay`]) {
      expect(await api.send('POST', asked)).toMatchObject({
        status: 409,
        json: { detail: expect.stringContaining(word) },
      });
    }
    expect(world.started).toHaveLength(1);
    expect((await api.send('GET', path)).json).toMatchObject({ state: 'failed' });
    world.states.set(tenantId, 'active');
    expect(await api.send('POST', `${path}/replay`)).toMatchObject({ status: 202 });
    expect(await api.send('POST', `${base}/${id}/test`)).toMatchObject({ status: 202 });
  });

  it('can be run ten times', async () => {
    const { path, record } = await deliver({ status: 200 });
    for (let run = 2; run <= 10; run++) {
      expect(await api.send('POST', `${path}/replay`)).toMatchObject({ status: 202 });
      await attemptDelivery(world.deps, { ...workOf(record), run });
    }
    expect(await api.send('POST', `${path}/replay`)).toMatchObject({ status: 409 });
    expect((await api.send('GET', path)).json.attempts).toHaveLength(10);
  });

  it('is kept for 30 days', async () => {
    const { path } = await deliver({ status: 200 });
    world.now += 30 * 86_400_000 - 1_000;
    expect((await api.send('GET', path)).status).toBe(200);
    world.now += 2_000;
    expect((await api.send('GET', path)).status).toBe(404);
  });
});
