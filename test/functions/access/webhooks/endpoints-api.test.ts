import '../../shared/output.ts';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ulid } from 'ulid';
import * as z from 'zod';
import { tenantIdSchema } from '../../../../functions/access/tenants/tenant.ts';
import { webhookRoutes } from '../../../../functions/access/webhooks/contract.ts';
import { EndpointStore } from '../../../../functions/access/webhooks/endpoint-store.ts';
import { webhookIdSchema } from '../../../../functions/access/webhooks/ids.ts';
import { maximumEndpoints } from '../../../../functions/access/webhooks/model.ts';
import { type Item, type Key, WebhooksTable } from '../../../../functions/access/webhooks/webhooks-table.ts';
import { startDynamo, type TestDynamo } from '../../shared/dynamodb.ts';
import { takeOutput } from '../../shared/output.ts';
import { Api, base, itemsSchema, url } from './api.ts';
import { secrets, table, World } from './support.ts';

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

const schemaOf = { webhook: webhookRoutes.getWebhook.responses[200].schema };

describe('a webhook', () => {
  it('is created with its defaults, and its secret is shown once', async () => {
    const answer = await api.send('POST', base, { url });
    expect(answer).toMatchObject({
      status: 201,
      headers: { location: `${base}/${answer.json.id}` },
      json: { url, tenantId: null, description: '', events: ['*'], state: 'enabled', disabled: null },
    });
    const { secret, ...webhook } = answer.json;
    expect(secret).toMatch(/^whsec_/);
    expect(schemaOf.webhook.parse(webhook)).toEqual(webhook);
    expect((await api.send('GET', `${base}/${webhook.id}`)).json).toEqual(webhook);
    const list = JSON.stringify((await api.send('GET', base)).json);
    const log = JSON.stringify(takeOutput());
    for (const text of [list, log]) expect(text).not.toContain(z.string().parse(secret));
  });

  it('is stored with its secret sealed', async () => {
    const { id, secret } = await api.create();
    const record = await world.endpoints.find(id);
    expect(JSON.stringify(record)).not.toContain(secret);
    expect(await secrets.open(id, record?.secret ?? '')).toBe(secret);
  });

  it('is the same one when its request is repeated, with a secret that is new', async () => {
    api.workId = ulid(world.now);
    const tenantId = tenantIdSchema.parse('acme-repeats');
    const first = await api.send('POST', base, { url, tenantId });
    for (let left = maximumEndpoints - 1; left > 0; left--) await world.endpoint({ tenantId });
    const second = await api.send('POST', base, { url, tenantId });
    expect(second).toMatchObject({ status: 201, json: { ...first.json, secret: expect.any(String) } });
    expect(second.json.secret).not.toBe(first.json.secret);
    const id = webhookIdSchema.parse(first.json.id);
    expect(id).toBe(api.workId);
    const record = await world.endpoints.find(id);
    expect(await secrets.open(id, record?.secret ?? '')).toBe(second.json.secret);
    expect(record?.previousSecret).toBeUndefined();
    expect(await world.endpoints.ofOwner(tenantId)).toHaveLength(maximumEndpoints);
  });

  it.each([
    ['body.url', 400, { url: 'example.com' }],
    ['body.url', 400, { url: 'https://user:pass@example.com/' }],
    ['body.url', 422, { url: 'https://internal.example/' }],
    ['body.tenantId', 422, { url, tenantId: 'unknown' }],
    ['body.events', 400, { url, events: [] }],
    ['body.events', 400, { url, events: ['*', '*'] }],
    ['body.events.0', 400, { url, events: ['Backup'] }],
    ['body.secret', 400, { url, secret: 'whsec_mine' }],
  ])('is refused with a problem that names %s: %i', async (field, status, body) => {
    const answer = await api.send('POST', base, body);
    expect(answer.status).toBe(status);
    expect(answer.json.errors).toMatchObject([{ field }]);
  });

  it('keeps the URL as it will be used', async () => {
    const { id } = await api.create({ url: 'HTTPS://HOOKS.example:443/a/../b' });
    expect((await api.send('GET', `${base}/${id}`)).json.url).toBe('https://hooks.example/b');
  });

  it('is changed in what is named, and in nothing else', async () => {
    const { id } = await api.create({ description: 'One', events: ['backup.*'] });
    expect(await api.send('PATCH', `${base}/${id}`, { description: 'Two' })).toMatchObject({
      status: 200,
      json: { description: 'Two', events: ['backup.*'], url },
    });
    expect(await api.send('PATCH', `${base}/${id}`, {})).toMatchObject({ status: 400 });
    expect(await api.send('PATCH', `${base}/${id}`, { url: 'https://internal.example/' })).toMatchObject({
      status: 422,
      json: { errors: [{ field: 'body.url' }] },
    });
  });

  it('is disabled with a reason, and begins anew when it is enabled', async () => {
    const { id } = await api.create();
    await world.endpoints.markFailing(id, new Date(world.now).toISOString());
    expect((await api.send('PATCH', `${base}/${id}`, { state: 'disabled' })).json).toMatchObject({
      state: 'disabled',
      disabled: { code: 'manual' },
    });
    expect((await api.send('PATCH', `${base}/${id}`, { state: 'enabled' })).json).toMatchObject({
      state: 'enabled',
      disabled: null,
      failingSince: null,
    });
  });

  it('is gone when it is deleted', async () => {
    const { id } = await api.create();
    expect(await api.send('DELETE', `${base}/${id}`)).toMatchObject({ status: 204 });
    for (const [method, path] of [
      ['GET', ''],
      ['DELETE', ''],
      ['PATCH', ''],
      ['GET', '/deliveries'],
      ['POST', '/test'],
      ['POST', '/rotate-secret'],
    ] as const) {
      const body = method === 'PATCH' ? { description: 'x' } : undefined;
      expect(await api.send(method, `${base}/${id}${path}`, body)).toMatchObject({ status: 404 });
    }
  });

  it('is one of 50 of its tenant at most', async () => {
    const tenantId = 'acme-many';
    for (let count = 0; count < 50; count++) await api.create({ tenantId });
    expect(await api.send('POST', base, { url, tenantId })).toMatchObject({ status: 409 });
    const first = await api.send('GET', `${base}?tenantId=${tenantId}&limit=30`);
    const rest = await api.send(
      'GET',
      `${base}?tenantId=${tenantId}&limit=30&nextToken=${first.json.nextToken}`,
    );
    expect(rest.json.nextToken).toBeNull();
    const ids = [first, rest].flatMap(({ json }) => itemsSchema.parse(json.webhooks)).map(({ id }) => id);
    expect(ids).toHaveLength(50);
    expect(ids).toEqual([...new Set(ids)].sort().reverse());
  });

  it('keeps its place when its request is repeated late, while another is refused', async () => {
    const tenantId = tenantIdSchema.parse('acme-late');
    const id = webhookIdSchema.parse(ulid(world.now));
    for (let count = 1; count < maximumEndpoints; count++) await world.endpoint({ tenantId });
    world.now += 120_000;
    const others: unknown[] = [];
    class Interrupted extends WebhooksTable {
      override async add(item: Item & Key): Promise<boolean> {
        others.push((await api.send('POST', base, { url, tenantId })).status);
        return super.add(item);
      }
    }
    const { plain, ...record } = await world.endpoint();
    const late = new EndpointStore(new Interrupted(dynamo.client, table, () => world.now));
    expect(await late.create({ ...record, id, tenantId })).toBe(true);
    expect(others).toEqual([409]);
    const ids = (await world.endpoints.ofOwner(tenantId)).map((endpoint) => endpoint.id);
    expect(ids).toHaveLength(maximumEndpoints);
    expect(ids).toContain(id);
  });

  it('is listed page by page, the newest first', async () => {
    const created: string[] = [];
    for (let count = 0; count < 5; count++) {
      world.now += 1_000_000;
      created.unshift((await api.create()).id);
    }
    const ids: string[] = [];
    let token = '';
    for (let pages = 0; pages < 3; pages++) {
      const { json } = await api.send('GET', `${base}?limit=2${token}`);
      ids.push(...itemsSchema.parse(json.webhooks).map(({ id }) => id));
      token = `&nextToken=${json.nextToken}`;
    }
    expect(ids.slice(0, 5)).toEqual(created);
    for (const id of created) await api.send('DELETE', `${base}/${id}`);
  });
});

describe('a secret', () => {
  it('is rotated with an overlap, by default of a day', async () => {
    const { id, secret } = await api.create();
    const answer = await api.send('POST', `${base}/${id}/rotate-secret`);
    expect(answer).toMatchObject({
      status: 200,
      json: { previousSecretUntil: new Date(world.now + 86_400_000).toISOString() },
    });
    expect(answer.json.secret).not.toBe(secret);
    const record = await world.endpoints.find(id);
    expect(await secrets.open(id, record?.secret ?? '')).toBe(answer.json.secret);
    expect(await secrets.open(id, record?.previousSecret ?? '')).toBe(secret);
    world.now += 86_400_000;
    expect((await api.send('GET', `${base}/${id}`)).json.previousSecretUntil).toBeNull();
  });

  it('ends at once without an overlap, also one that was overlapping', async () => {
    const { id } = await api.create();
    await api.send('POST', `${base}/${id}/rotate-secret`, { overlapHours: 168 });
    await api.send('POST', `${base}/${id}/rotate-secret`, { overlapHours: 0 });
    const record = await world.endpoints.find(id);
    expect(record).not.toHaveProperty('previousSecret');
    expect(await api.send('POST', `${base}/${id}/rotate-secret`, { overlapHours: 169 })).toMatchObject({
      status: 400,
    });
  });

  it('is replaced once by a request that is repeated: the one before it signs until the overlap ends', async () => {
    const { id, secret } = await api.create();
    api.workId = ulid(world.now);
    const rotate = () => api.send('POST', `${base}/${id}/rotate-secret`);
    const first = await rotate();
    world.now += 3_600_000;
    const second = await rotate();
    expect(second).toMatchObject({ status: 200, json: { ...first.json, secret: expect.any(String) } });
    expect(second.json.secret).not.toBe(first.json.secret);
    const record = await world.endpoints.find(id);
    expect(await secrets.open(id, record?.secret ?? '')).toBe(second.json.secret);
    expect(await secrets.open(id, record?.previousSecret ?? '')).toBe(secret);
    api.workId = ulid(world.now);
    await rotate();
    const rotated = await world.endpoints.find(id);
    expect(await secrets.open(id, rotated?.previousSecret ?? '')).toBe(second.json.secret);
  });

  it('is not replaced by a repeated creation once it has been rotated', async () => {
    api.workId = ulid(world.now);
    const { id } = await api.create();
    api.workId = ulid(world.now + 1);
    const { json } = await api.send('POST', `${base}/${id}/rotate-secret`);
    api.workId = id;
    expect(await api.send('POST', base, { url })).toMatchObject({ status: 409 });
    const record = await world.endpoints.find(id);
    expect(await secrets.open(id, record?.secret ?? '')).toBe(json.secret);
    expect(record?.previousSecret).toBeDefined();
  });

  it('that another request has replaced meanwhile is not replaced again', async () => {
    const { id } = await api.create();
    const seen = await world.endpoints.find(id);
    if (seen === undefined) throw new Error('It is not there');
    const rotation = { workId: ulid(world.now), previousUntil: undefined };
    expect(await world.endpoints.rotate(seen, { ...rotation, secret: 'one' })).toBe(true);
    expect(await world.endpoints.rotate(seen, { ...rotation, secret: 'other' })).toBe(false);
  });
});
