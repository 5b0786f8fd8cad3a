import '../../shared/output.ts';
import { ScanCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { hashKey, idOfKey, keyIdOfWork } from '../../../../functions/access/keys/api-keys.ts';
import { issueKey } from '../../../../functions/access/keys/issue-key.ts';
import { newKeySchema } from '../../../../functions/access/keys/key.ts';
import { keyIdSchema } from '../../../../functions/access/keys/key-id.ts';
import { tenantIdSchema } from '../../../../functions/access/tenants/tenant.ts';
import { maximumKeys } from '../../../../functions/access/tenants/tenant-keys.ts';
import { newId } from '../../../../functions/shared/ids.ts';
import { takeOutput } from '../../shared/output.ts';
import { type Access, operator, pepper, startAccess } from './support.ts';

const hourMs = 3_600_000;
let access: Access;

beforeAll(async () => {
  access = await startAccess();
  await access.call('createTenant', { body: { id: 'acme', name: 'Acme', tier: 'professional' } });
  await access.call('createTenant', { body: { id: 'idle', name: 'Idle' } });
  await access.call('changeTenant', { params: { tenantId: 'idle' }, body: { state: 'suspended' } });
  // Whatever a test does to an admin key of its own, this one remains.
  await access.make({ name: 'Remains', scopes: ['admin'] });
});
afterAll(() => access.stop());
beforeEach(() => {
  access.takeEvents();
  access.bus.down = false;
  // Times in the list are those of creation.
  access.clock.now += 1_000;
});

const iso = (ms: number) => new Date(ms).toISOString();
const create = (body: object) =>
  access.call('createKey', { body: { name: 'A key', scopes: ['recovery:read'], ...body } });
const get = async (keyId: string) => (await access.call('getKey', { params: { keyId } })).body;

describe('making a key', () => {
  it('shows the key once and stores its hash alone', async () => {
    const answer = await create({ name: ' CI ', scopes: ['recovery:write', 'ingest'] });
    const { key, ...view } = newKeySchema.parse(answer.body);
    expect(answer.status).toBe(201);
    expect(answer.headers).toMatchObject({ location: `/api/access/keys/${view.id}` });
    expect(key).toMatch(/^msk_/);
    expect(view).toMatchObject({
      id: idOfKey(key ?? ''),
      name: 'CI',
      scopes: ['recovery:write', 'ingest'],
      tier: 'free',
      tenantId: null,
      state: 'active',
      createdBy: 'operator',
      validUntil: null,
      lastUsedAt: null,
    });
    expect(await access.keys.find(view.id)).toMatchObject({ hash: hashKey(pepper, key ?? '') });
    expect(await get(view.id)).toEqual(view);
  });

  it('makes no other one when its request is repeated, and shows it with a secret that is new', async () => {
    const workId = newId();
    const body = { name: 'Repeated', scopes: ['admin'] };
    const first = newKeySchema.parse((await access.call('createKey', { body, workId })).body);
    access.clock.now += 60_000;
    const answer = await access.call('createKey', { body, workId });
    const second = newKeySchema.parse(answer.body);
    expect(answer.status).toBe(201);
    expect(second).toEqual({ ...first, key: second.key });
    expect(second.key).not.toBe(first.key);
    expect(await access.keys.find(first.id)).toMatchObject({ hash: hashKey(pepper, second.key ?? '') });
    const other = newKeySchema.parse((await access.call('createKey', { body, workId: newId() })).body);
    expect(other.id).not.toBe(first.id);
    const revoke = { params: { keyId: first.id } };
    expect(await access.call('revokeKey', revoke)).toMatchObject({ status: 200 });
    const third = newKeySchema.parse((await access.call('createKey', { body, workId })).body);
    expect(third).toMatchObject({ state: 'active' });
    expect([first.id, other.id]).not.toContain(third.id);
  });

  it('does not bring a key back among the admin keys when its request is repeated', async () => {
    const workId = newId();
    const body = { name: 'Repeated', scopes: ['admin'] };
    const { id } = newKeySchema.parse((await access.call('createKey', { body, workId })).body);
    const change = { params: { keyId: id }, body: { scopes: ['ingest'] } };
    expect(await access.call('changeKey', change)).toMatchObject({ status: 200 });
    const repeated = newKeySchema.parse((await access.call('createKey', { body, workId })).body);
    expect(repeated).toMatchObject({ id, scopes: ['ingest'] });
    const { Items = [] } = await access.dynamo.client.send(new ScanCommand({ TableName: 'access' }));
    expect(Items.find(({ pk }) => pk === 'ADMINS')?.ids).not.toContain(id);
  });

  it('counts the key of a tenant once when its request is repeated, also where it is the last there may be', async () => {
    const tenantId = tenantIdSchema.parse('full');
    await access.call('createTenant', { body: { id: tenantId, name: 'Full' } });
    const others = Array.from({ length: maximumKeys - 1 }, (_, number) => keyIdOfWork('other', number));
    for (const other of others) expect(await access.tenants.keys.hold(tenantId, other)).toBe(true);
    const last = { body: { name: 'Last', scopes: ['ingest'], tenantId }, workId: newId() };
    const first = await access.call('createKey', last);
    expect(first.status).toBe(201);
    expect(await access.call('createKey', last)).toMatchObject({ status: 201, body: { id: first.body.id } });
    expect(await create({ tenantId })).toMatchObject({ status: 409 });
  });

  it('lets neither the key nor its hash into the table, the log, an event or any other answer', async () => {
    takeOutput();
    const { id, key } = await access.make({ scopes: ['admin'] });
    const changed = await access.call('changeKey', { params: { keyId: id }, body: { name: 'Other' } });
    const rerolled = newKeySchema.parse(
      (await access.call('rerollKey', { params: { keyId: id }, body: {} })).body,
    );
    const revoked = await access.call('revokeKey', { params: { keyId: id } });
    const listed = await access.call('listKeys');
    const items = (await access.dynamo.client.send(new ScanCommand({ TableName: 'access' }))).Items;
    const elsewhere = [access.takeEvents(), takeOutput(), changed, revoked, listed];
    for (const secret of [key, rerolled.key]) {
      const text = secret?.slice(13) ?? '';
      expect(text).toHaveLength(43);
      expect(JSON.stringify([elsewhere, items])).not.toContain(text);
      expect(JSON.stringify(elsewhere)).not.toContain(hashKey(pepper, secret ?? ''));
    }
  });

  it('gives it the tier of its tenant, unless another is named', async () => {
    expect(await access.make({ tenantId: 'acme' })).toMatchObject({ tenantId: 'acme', tier: 'professional' });
    expect(await access.make({ tenantId: 'acme', tier: 'starter' })).toMatchObject({ tier: 'starter' });
  });

  it.each([
    ['a tenant that does not exist', { tenantId: 'nobody' }, 'body.tenantId'],
    ['a suspended tenant', { tenantId: 'idle' }, 'body.tenantId'],
    ['a tenant together with admin', { tenantId: 'acme', scopes: ['admin'] }, 'body.scopes'],
    ['an end that is past', { validUntil: '2026-11-20T09:59:59Z' }, 'body.validUntil'],
  ])('refuses %s and stores nothing', async (_name, body: object, field) => {
    const before = await access.dynamo.client.send(new ScanCommand({ TableName: 'access' }));
    const answer = await create(body);
    expect(answer).toMatchObject({ status: 422, body: { errors: [{ field }] } });
    const after = await access.dynamo.client.send(new ScanCommand({ TableName: 'access' }));
    expect(after.Count).toBe(before.Count);
    expect(access.takeEvents()).toEqual([]);
  });

  it.each([
    ['no scope', { scopes: [] }],
    ['a scope twice', { scopes: ['admin', 'admin'] }],
    ['an unknown scope', { scopes: ['everything'] }],
    ['an empty name', { name: ' ' }],
    ['a member that it does not have', { hash: 'x' }],
    ['an end that is no time', { validUntil: 'tomorrow' }],
  ])('refuses %s as malformed', async (_name, body: object) => {
    expect(await create(body)).toMatchObject({ status: 400 });
  });

  it('refuses more keys than a tenant may have, and revokes the one that was begun', async () => {
    const tenantId = tenantIdSchema.parse('crowded');
    await access.call('createTenant', { body: { id: tenantId, name: 'Crowded' } });
    const { id } = await access.make({ tenantId });
    const alphabet = 'abcdefghijklmnopqrst';
    const others = [...alphabet]
      .flatMap((one) => [...alphabet].map((two) => `${one}${two}aaaaaa`))
      .slice(0, 199);
    for (const other of others) {
      expect(await access.tenants.keys.hold(tenantId, keyIdSchema.parse(other))).toBe(true);
    }
    expect(await create({ tenantId })).toMatchObject({ status: 409 });
    const { body } = await access.call('listKeys', { query: 'tenantId=crowded&state=active' });
    expect(body).toMatchObject({ keys: [{ id }], nextToken: null });
  });
});

describe('the list of keys', () => {
  it('pages through all, newest first, and filters by tenant and state', async () => {
    const lister = tenantIdSchema.parse('lister');
    await access.call('createTenant', { body: { id: lister, name: 'Lister' } });
    const made: string[] = [];
    for (let i = 0; i < 5; i++) {
      access.clock.now += 1;
      made.unshift((await access.make(i % 2 === 0 ? { tenantId: lister } : {})).id);
    }
    const [, , expiring, revoked] = made;
    await access.call('revokeKey', { params: { keyId: revoked ?? '' } });
    await access.call('rerollKey', { params: { keyId: expiring ?? '' }, body: { overlapHours: 0 } });

    const seen: unknown[] = [];
    let token: unknown = null;
    do {
      const query: string = `limit=2${token === null ? '' : `&nextToken=${token}`}`;
      const { status, body } = await access.call('listKeys', { query });
      expect(status).toBe(200);
      if (Array.isArray(body.keys)) seen.push(...body.keys.map(({ id }) => id));
      token = body.nextToken;
    } while (token !== null);
    expect(seen.filter((id) => made.some((one) => one === id))).toEqual(made);
    expect(new Set(seen).size).toBe(seen.length);

    const ids = async (query: string) => {
      const { body } = await access.call('listKeys', { query });
      return Array.isArray(body.keys) ? body.keys.map(({ id }) => id) : [];
    };
    expect(await ids('tenantId=lister&state=active')).toHaveLength(3);
    expect(await ids('tenantId=lister&state=expired')).toEqual([expiring]);
    expect(await ids('tenantId=lister')).toHaveLength(4);
    expect(await ids('state=revoked')).toContain(revoked);
    expect(await ids('tenantId=nobody')).toEqual([]);
  });

  it('refuses a token that is not its own', async () => {
    const token = Buffer.from('["tenants","acme"]').toString('base64url');
    expect(await access.call('listKeys', { query: `nextToken=${token}` })).toMatchObject({ status: 400 });
  });
});

describe('when a key was last used', () => {
  it('is shown with the key', async () => {
    const { id } = await access.make();
    await access.use.note(id);
    expect(await get(id)).toMatchObject({ lastUsedAt: iso(access.clock.now) });
    const { body } = await access.call('listKeys', { query: 'limit=1' });
    expect(body).toMatchObject({ keys: [{ id, lastUsedAt: iso(access.clock.now) }] });
  });
});

describe('changing a key', () => {
  it('changes what is named and leaves the rest', async () => {
    const before = await access.make({ scopes: ['cdn:read'], tier: 'starter' });
    const { key: _key, ...kept } = before;
    const answer = await access.call('changeKey', {
      params: { keyId: before.id },
      body: { scopes: ['cdn:write', 'ingest'] },
    });
    expect(answer).toMatchObject({ status: 200, body: { ...kept, scopes: ['cdn:write', 'ingest'] } });
    expect(await get(before.id)).toEqual(answer.body);
  });

  it('does not give admin to a key that was made without it', async () => {
    const { id } = await access.make();
    const answer = await access.call('changeKey', { params: { keyId: id }, body: { scopes: ['admin'] } });
    expect(answer).toMatchObject({ status: 422, body: { errors: [{ field: 'body.scopes' }] } });
    expect(await get(id)).toMatchObject({ scopes: ['recovery:read'] });
  });

  it('is refused for a revoked key, an unknown one, and with nothing to change', async () => {
    const { id } = await access.make();
    expect(await access.call('changeKey', { params: { keyId: id }, body: {} })).toMatchObject({
      status: 400,
    });
    await access.call('revokeKey', { params: { keyId: id } });
    const body = { name: 'Other' };
    expect(await access.call('changeKey', { params: { keyId: id }, body })).toMatchObject({ status: 409 });
    expect(await access.call('changeKey', { params: { keyId: 'aaaaaaaa' }, body })).toMatchObject({
      status: 404,
    });
  });
});

describe('revoking a key', () => {
  it('is done once, however often it is asked for', async () => {
    const { id } = await access.make();
    const first = await access.call('revokeKey', { params: { keyId: id } });
    expect(first).toMatchObject({
      status: 200,
      body: { state: 'revoked', revokedAt: iso(access.clock.now) },
    });
    access.clock.now += 60_000;
    expect(await access.call('revokeKey', { params: { keyId: id } })).toMatchObject({
      status: 200,
      body: first.body,
    });
    const names = access.takeEvents().map(({ name }) => name);
    expect(names).toEqual(['key.created', 'key.revoked']);
  });

  it('is answered 404 for a key that does not exist', async () => {
    expect(await access.call('revokeKey', { params: { keyId: 'aaaaaaaa' } })).toMatchObject({ status: 404 });
  });
});

describe('rerolling a key', () => {
  it('makes no other one when its request is repeated, be the old one replaced by it already or not', async () => {
    const old = await access.make({ name: 'Repeated' });
    const reroll = { params: { keyId: old.id }, body: { overlapHours: 2 }, workId: newId() };
    const first = newKeySchema.parse((await access.call('rerollKey', reroll)).body);
    const until = (await get(old.id)).validUntil;
    access.clock.now += 60_000;
    const answer = await access.call('rerollKey', reroll);
    const second = newKeySchema.parse(answer.body);
    expect(second).toEqual({ ...first, key: second.key });
    expect(await access.keys.find(first.id)).toMatchObject({ hash: hashKey(pepper, second.key ?? '') });
    expect(await get(old.id)).toMatchObject({ replacedBy: first.id, validUntil: until });
    expect(await access.call('rerollKey', { ...reroll, workId: newId() })).toMatchObject({ status: 409 });

    const other = await access.make();
    const workId = newId();
    const { name, scopes, tier } = other;
    const replaces = other.id;
    const half = await issueKey(access, { name, scopes, tier, replaces, createdBy: 'operator', workId });
    const whole = await access.call('rerollKey', { params: { keyId: replaces }, body: {}, workId });
    expect(whole).toMatchObject({ status: 201, body: { id: half.record.id, replaces } });
    expect(await get(replaces)).toMatchObject({ replacedBy: half.record.id });
  });

  it('makes one like it and lets the old one end after the overlap', async () => {
    const old = await access.make({ name: 'CI', scopes: ['cdn:write'], tier: 'starter', tenantId: 'acme' });
    const answer = await access.call('rerollKey', { params: { keyId: old.id }, body: { overlapHours: 2 } });
    const fresh = newKeySchema.parse(answer.body);
    expect(answer).toMatchObject({ status: 201, headers: { location: `/api/access/keys/${fresh.id}` } });
    expect(fresh).toMatchObject({
      name: 'CI',
      scopes: ['cdn:write'],
      tier: 'starter',
      tenantId: 'acme',
      replaces: old.id,
      validUntil: null,
    });
    expect(fresh.key).not.toBe(old.key);
    const end = access.clock.now + 2 * hourMs;
    expect(await get(old.id)).toMatchObject({ state: 'active', replacedBy: fresh.id, validUntil: iso(end) });
    access.clock.now = end;
    expect(await get(old.id)).toMatchObject({ state: 'expired' });
  });

  it('gives a day of overlap by default, and never more time than the old key had', async () => {
    const one = await access.make();
    await access.call('rerollKey', { params: { keyId: one.id }, body: {} });
    expect(await get(one.id)).toMatchObject({ validUntil: iso(access.clock.now + 24 * hourMs) });

    const validUntil = iso(access.clock.now + hourMs);
    const two = await access.make({ validUntil });
    const { body } = await access.call('rerollKey', { params: { keyId: two.id }, body: {} });
    expect(body).toMatchObject({ validUntil });
    expect(await get(two.id)).toMatchObject({ validUntil });
    const three = await access.make({ validUntil });
    const later = iso(access.clock.now + 48 * hourMs);
    const longer = await access.call('rerollKey', {
      params: { keyId: three.id },
      body: { validUntil: later },
    });
    expect(longer.body).toMatchObject({ validUntil: later });
  });

  it('is refused a second time, naming the successor, and for a key that is no longer good', async () => {
    const { id } = await access.make();
    const { body } = await access.call('rerollKey', { params: { keyId: id }, body: {} });
    expect(await access.call('rerollKey', { params: { keyId: id }, body: {} })).toMatchObject({
      status: 409,
      body: { replacedBy: body.id },
    });
    const revoked = await access.make();
    await access.call('revokeKey', { params: { keyId: revoked.id } });
    const expired = await access.make({ validUntil: iso(access.clock.now + 1) });
    access.clock.now += 1;
    for (const keyId of [revoked.id, expired.id]) {
      expect(await access.call('rerollKey', { params: { keyId }, body: {} })).toMatchObject({ status: 409 });
    }
    expect(await access.call('rerollKey', { params: { keyId: 'aaaaaaaa' }, body: {} })).toMatchObject({
      status: 404,
    });
  });

  it('leaves one successor when two ask at once', async () => {
    const { id } = await access.make({ name: 'Twice' });
    const answers = await Promise.all(
      [0, 1].map(() => access.call('rerollKey', { params: { keyId: id }, body: {} })),
    );
    const statuses = answers.map(({ status }) => status).toSorted();
    expect(statuses).toEqual([201, 409]);
    const winner = answers.find(({ status }) => status === 201);
    expect(await get(id)).toMatchObject({ replacedBy: winner?.body.id });
    const { body } = await access.call('listKeys', { query: 'limit=100&state=active' });
    const alike = Array.isArray(body.keys) ? body.keys.filter(({ name }) => name === 'Twice') : [];
    expect(alike.map((key) => key.id).toSorted()).toEqual([id, winner?.body.id].toSorted());
  });
});

describe('the key of a request', () => {
  it('is told to its holder', async () => {
    const tenantKey = { ...operator, keyId: 'abcdefgh', scopes: ['access:read' as const], tenant: 'acme' };
    expect(await access.call('getSelf', { caller: tenantKey })).toMatchObject({
      status: 200,
      body: {
        keyId: 'abcdefgh',
        name: 'Operator',
        scopes: ['access:read'],
        tier: 'enterprise',
        tenantId: 'acme',
      },
    });
  });
});

describe('events about keys', () => {
  it('tell what became of which key', async () => {
    const { id } = await access.make({ tenantId: 'acme' });
    await access.call('changeKey', { params: { keyId: id }, body: { tier: 'free' } });
    const { body } = await access.call('rerollKey', { params: { keyId: id }, body: {} });
    await access.call('revokeKey', { params: { keyId: id } });
    const events = access.takeEvents();
    const common = { version: 1, at: iso(access.clock.now), keyId: id, tenantId: 'acme' };
    expect(events).toMatchObject([
      { source: 'mainstay.access', name: 'key.created', detail: { ...common, tier: 'professional' } },
      { name: 'key.changed', detail: { ...common, tier: 'free' } },
      { name: 'key.rerolled', detail: { ...common, replacedBy: body.id } },
      { name: 'key.revoked', detail: common },
    ]);
    for (const { detail } of events) expect(detail.traceparent).toMatch(/^00-[0-9a-f]{32}-/);
  });

  it('that are not taken are logged and counted, and fail no request', async () => {
    access.bus.down = true;
    access.takeLog();
    expect(await create({})).toMatchObject({ status: 201 });
    const log = access.takeLog();
    expect(log).toContainEqual(
      expect.objectContaining({
        level: 'ERROR',
        message: 'An event was not announced',
        event: 'key.created',
      }),
    );
    expect(log).toContainEqual(expect.objectContaining({ AnnouncementsFailed: 1 }));
  });
});
