import '../../shared/output.ts';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { keyIdSchema } from '../../../../functions/access/keys/key-id.ts';
import { tenantIdSchema } from '../../../../functions/access/tenants/tenant.ts';
import { newId } from '../../../../functions/shared/ids.ts';
import { type Access, operator, startAccess } from '../keys/support.ts';

let access: Access;

beforeAll(async () => {
  access = await startAccess();
});
afterAll(() => access.stop());
beforeEach(() => {
  access.clock.now += 1_000;
  access.takeEvents();
});

const now = () => new Date(access.clock.now).toISOString();
const create = (id: string, body: object = {}) =>
  access.call('createTenant', { body: { id, name: id.toUpperCase(), ...body } });
const get = (tenantId: string, caller = operator) =>
  access.call('getTenant', { params: { tenantId }, caller });
const change = (tenantId: string, body: object) =>
  access.call('changeTenant', { params: { tenantId }, body });
const remove = (tenantId: string) => access.call('deleteTenant', { params: { tenantId } });

describe('creating a tenant', () => {
  it('takes the id that the caller chooses', async () => {
    const answer = await create('first', { name: 'First Inc.', tier: 'starter' });
    expect(answer).toMatchObject({ status: 201, headers: { location: '/api/access/tenants/first' } });
    expect(answer.body).toEqual({
      id: 'first',
      name: 'First Inc.',
      tier: 'starter',
      state: 'active',
      createdAt: now(),
      updatedAt: now(),
    });
    expect(await get('first')).toMatchObject({ status: 200, body: answer.body });
  });

  it('refuses an id that is taken, and leaves who has it as they are', async () => {
    const { body } = await create('taken');
    expect(await create('taken', { name: 'Somebody else' })).toMatchObject({ status: 409 });
    expect((await get('taken')).body).toEqual(body);
  });

  it('is answered with the tenant as it is when its request is repeated', async () => {
    const workId = newId();
    const body = { id: 'repeated', name: 'Repeated' };
    const first = await access.call('createTenant', { body, workId });
    expect(first.status).toBe(201);
    expect(await access.call('createTenant', { body, workId })).toMatchObject({
      status: 201,
      body: first.body,
    });
    await change('repeated', { state: 'suspended' });
    expect(await access.call('createTenant', { body, workId })).toMatchObject({
      status: 201,
      body: { state: 'suspended' },
    });
    expect(await access.call('createTenant', { body, workId: newId() })).toMatchObject({ status: 409 });
  });

  it.each(['', '-acme', 'Acme', 'a_b', 'a/b', 'a'.repeat(64), 'acme\n'])('refuses the id %j', async (id) => {
    expect(await create(id)).toMatchObject({ status: 400 });
  });
});

describe('the list of tenants', () => {
  it('pages through all of them, by id', async () => {
    for (const id of ['list-c', 'list-a', 'list-b']) await create(id);
    const ids: string[] = [];
    let token: unknown = null;
    do {
      const query: string = `limit=1${token === null ? '' : `&nextToken=${token}`}`;
      const { body } = await access.call('listTenants', { query });
      if (Array.isArray(body.tenants)) ids.push(...body.tenants.map(({ id }) => id));
      token = body.nextToken;
    } while (token !== null);
    expect(ids.filter((id) => id.startsWith('list-'))).toEqual(['list-a', 'list-b', 'list-c']);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe('one tenant', () => {
  it('is found by its own key and not by that of another, as if it did not exist', async () => {
    await create('own');
    await create('other');
    const caller = { ...operator, scopes: ['access:read' as const], tenant: 'own' };
    expect(await get('own', caller)).toMatchObject({ status: 200 });
    const [hidden, missing] = [await get('other', caller), await get('missing', caller)];
    expect(hidden.status).toBe(404);
    expect(hidden.body.detail).toBe(missing.body.detail);
    expect((await get('missing')).body.detail).toBe(missing.body.detail);
  });
});

describe('changing a tenant', () => {
  it('changes what is named, and tells what has changed in fact', async () => {
    const { body } = await create('changing');
    access.takeEvents();
    access.clock.now += 1_000;
    const renamed = await change('changing', { name: 'Renamed' });
    expect(renamed.body).toEqual({ ...body, name: 'Renamed', updatedAt: now() });
    await change('changing', { state: 'suspended' });
    await change('changing', { state: 'suspended', name: 'Renamed' });
    await change('changing', { state: 'active', tier: 'enterprise' });
    expect((await get('changing')).body).toMatchObject({ state: 'active', tier: 'enterprise' });
    const common = { version: 1, tenantId: 'changing', name: 'Renamed' };
    expect(access.takeEvents()).toMatchObject([
      { source: 'mainstay.access', name: 'tenant.changed', detail: { ...common, tier: 'free' } },
      { name: 'tenant.suspended', detail: { ...common, state: 'suspended' } },
      { name: 'tenant.changed', detail: { ...common, tier: 'enterprise' } },
      { name: 'tenant.activated', detail: { ...common, state: 'active' } },
    ]);
  });

  it('is refused for an unknown tenant, and with nothing to change', async () => {
    expect(await change('unknown', { name: 'X' })).toMatchObject({ status: 404 });
    expect(await get('unknown')).toMatchObject({ status: 404 });
    await create('unchanged');
    expect(await change('unchanged', {})).toMatchObject({ status: 400 });
  });
});

describe('deleting a tenant', () => {
  it('is done when nothing of it is left, and its id is free again', async () => {
    await create('leaving');
    const { id } = await access.make({ tenantId: 'leaving' });
    expect(await remove('leaving')).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining(id) },
    });
    await access.call('revokeKey', { params: { keyId: id } });
    access.takeEvents();
    expect(await remove('leaving')).toMatchObject({ status: 204, body: {} });
    expect(access.takeEvents()).toMatchObject([{ name: 'tenant.deleted', detail: { tenantId: 'leaving' } }]);
    expect(await get('leaving')).toMatchObject({ status: 404 });
    expect(await remove('leaving')).toMatchObject({ status: 404 });
    expect(await create('leaving')).toMatchObject({ status: 201 });
  });

  it('is refused while anything else needs it, saying what', async () => {
    await create('needed');
    access.busy.set('needed', 'The tenant has webhook endpoints. Delete them first.');
    expect(await remove('needed')).toMatchObject({
      status: 409,
      body: { detail: 'The tenant has webhook endpoints. Delete them first.' },
    });
    access.busy.delete('needed');
    expect(await remove('needed')).toMatchObject({ status: 204 });
  });

  it('is not held up by a key whose revocation was left half-way', async () => {
    const tenantId = tenantIdSchema.parse('halfway');
    await create(tenantId);
    const { id } = await access.make({ tenantId });
    await access.keys.revoke(keyIdSchema.parse(id), now());
    expect(await access.tenants.keys.held(tenantId)).toEqual([id]);
    expect(await remove(tenantId)).toMatchObject({ status: 204 });
  });

  it('and making a key for it at the same time never both succeed', async () => {
    for (let round = 0; round < 10; round++) {
      const tenantId = `race-${round}`;
      await create(tenantId);
      const body = { name: 'Race', scopes: ['recovery:read'], tenantId };
      const [made, deleted] = await Promise.all([access.call('createKey', { body }), remove(tenantId)]);
      expect([
        [201, 409],
        [422, 204],
      ]).toContainEqual([made.status, deleted.status]);
      const { body: page } = await access.call('listKeys', { query: `tenantId=${tenantId}&state=active` });
      expect(page.keys).toHaveLength(made.status === 201 ? 1 : 0);
    }
  });
});
