import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { authenticator, cacheMs } from '../../../functions/access/authenticate.ts';
import { generateKey, hashKey } from '../../../functions/access/keys/api-keys.ts';
import { keyIdSchema } from '../../../functions/access/keys/key-id.ts';
import { type KeyRecord, KeyStore } from '../../../functions/access/keys/key-store.ts';
import { tenantIdSchema } from '../../../functions/access/tenants/tenant.ts';
import type { HttpRequest } from '../../../functions/shared/http-handler.ts';
import { Problem } from '../../../functions/shared/problem.ts';
import { startDynamo, type TestDynamo } from '../shared/dynamodb.ts';

const table = 'access';
const pepper = 'a pepper of the tests';
let dynamo: TestDynamo;
let store: KeyStore;
let reads: string[];
let now: number;
let authenticate: ReturnType<typeof authenticator>;
let tenants: Map<string, { state: 'active' | 'suspended' }>;
let lookups: number;

beforeAll(async () => {
  dynamo = await startDynamo(table);
  store = new KeyStore(dynamo.client, table);
});
afterAll(() => dynamo.stop());

beforeEach(() => {
  reads = [];
  lookups = 0;
  tenants = new Map([['tenant-1', { state: 'active' }]]);
  now = Date.parse('2026-11-20T10:00:00Z');
  authenticate = authenticator({
    keys: {
      find: (id) => {
        reads.push(id);
        return store.find(id);
      },
    },
    tenants: { find: async (id) => tenants.get(id) },
    pepper: async () => pepper,
    beforeLookup: async () => {
      lookups++;
    },
    now: () => now,
  });
});

async function createKey(changes: Partial<KeyRecord> = {}): Promise<{ id: string; key: string }> {
  const { id, key } = generateKey();
  const created = await store.create({
    id,
    hash: hashKey(pepper, key),
    name: 'A key',
    scopes: ['recovery:write'],
    tier: 'free',
    state: 'active',
    createdAt: new Date(now).toISOString(),
    ...changes,
  });
  expect(created).toBe(true);
  return { id, key };
}

async function revoke(id: string): Promise<void> {
  await dynamo.client.send(
    new UpdateCommand({
      TableName: table,
      Key: { pk: `KEY#${id}`, sk: 'KEY' },
      UpdateExpression: 'SET #state = :revoked',
      ExpressionAttributeNames: { '#state': 'state' },
      ExpressionAttributeValues: { ':revoked': 'revoked' },
    }),
  );
}

function request(headers: Record<string, string>): HttpRequest {
  return { method: 'GET', path: '/', headers, sourceIp: '192.0.2.1', requestId: 'r', time: new Date(now) };
}

const bearer = (key: string) => request({ authorization: `Bearer ${key}` });

async function refusal(presented: HttpRequest) {
  const error: unknown = await authenticate(presented).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(Problem);
  return error;
}

describe('a caller', () => {
  it('is known by a key in either header, or by the same key in both', async () => {
    const { id, key } = await createKey({ tenant: tenantIdSchema.parse('tenant-1') });
    const caller = { keyId: id, name: 'A key', scopes: ['recovery:write'], tier: 'free', tenant: 'tenant-1' };
    expect(await authenticate(bearer(key))).toEqual(caller);
    expect(await authenticate(request({ authorization: `bearer  ${key} ` }))).toEqual(caller);
    expect(await authenticate(request({ 'x-api-key': key }))).toEqual(caller);
    const both = request({ 'x-api-key': key, authorization: `Bearer ${key}` });
    expect(await authenticate(both)).toEqual(caller);
  });

  it('is refused with two different keys, be they valid', async () => {
    const one = await createKey();
    const two = await createKey();
    const both = request({ 'x-api-key': one.key, authorization: `Bearer ${two.key}` });
    expect(await refusal(both)).toMatchObject({ status: 401 });
  });

  it.each([
    ['no header', {}],
    ['an empty header', { 'x-api-key': '' }],
    ['another scheme', { authorization: 'Basic dXNlcjpwYXNz' }],
    ['a scheme alone', { authorization: 'Bearer' }],
    ['a malformed key', { 'x-api-key': 'msk_short_key' }],
    ['two keys that were joined', { 'x-api-key': `${generateKey().key},${generateKey().key}` }],
  ])(
    'is refused with %s, without a question to the store',
    async (_name, headers: Record<string, string>) => {
      expect(await refusal(request(headers))).toMatchObject({
        status: 401,
        headers: { 'www-authenticate': 'Bearer realm="mainstay"' },
      });
      expect(reads).toEqual([]);
    },
  );

  it('is refused the same way for an unknown key and for a wrong secret, at the cost of one read each', async () => {
    const { id } = await createKey();
    const unknown = generateKey();
    const wrong = `msk_${id}_${generateKey().key.slice(13)}`;
    const refusals = [await refusal(bearer(unknown.key)), await refusal(bearer(wrong))];
    expect(refusals[0]).toEqual(refusals[1]);
    expect(reads).toEqual([unknown.id, id]);
  });

  it('of a tenant is refused while the tenant is suspended or not there, within the bound of the cache', async () => {
    const { key } = await createKey({ tenant: tenantIdSchema.parse('tenant-1') });
    await authenticate(bearer(key));
    tenants.set('tenant-1', { state: 'suspended' });
    now += cacheMs;
    expect(await refusal(bearer(key))).toMatchObject({
      status: 403,
      message: expect.stringContaining('tenant-1'),
    });
    tenants.delete('tenant-1');
    now += cacheMs;
    expect(await refusal(bearer(key))).toMatchObject({ status: 403 });
    tenants.set('tenant-1', { state: 'active' });
    now += cacheMs;
    expect(await authenticate(bearer(key))).toMatchObject({ tenant: 'tenant-1' });
  });

  it('asks before each lookup whether it may, and not for a key that is remembered', async () => {
    const { key } = await createKey();
    await authenticate(bearer(key));
    await authenticate(bearer(key));
    expect(lookups).toBe(1);
    await refusal(bearer(generateKey().key));
    expect(lookups).toBe(2);
  });
});

describe('a key that is no longer valid', () => {
  it('is refused from the moment it expires, remembered or not', async () => {
    const { key } = await createKey({ validUntil: '2026-11-20T10:00:10.000Z' });
    expect(await authenticate(bearer(key))).toBeDefined();
    now += 10_000;
    expect(await refusal(bearer(key))).toMatchObject({ status: 401, message: 'The API key has expired.' });
    expect(reads).toHaveLength(1);
  });

  it('is refused within the bound of the cache after it is revoked', async () => {
    const { id, key } = await createKey();
    await authenticate(bearer(key));
    await revoke(id);
    now += cacheMs - 1;
    expect(await authenticate(bearer(key))).toBeDefined();
    now += 1;
    expect(await refusal(bearer(key))).toMatchObject({
      status: 401,
      message: 'The API key has been revoked.',
    });
  });

  it('is refused at once where it was not remembered', async () => {
    const { key } = await createKey({ state: 'revoked' });
    expect(await refusal(bearer(key))).toMatchObject({ status: 401 });
    expect(await refusal(bearer(key))).toMatchObject({ status: 401 });
    expect(reads).toHaveLength(2);
  });
});

describe('remembering', () => {
  it('saves the read for a key that was accepted, until the bound', async () => {
    const { id, key } = await createKey();
    for (let i = 0; i < 5; i++) await authenticate(bearer(key));
    expect(reads).toEqual([id]);
    now += cacheMs;
    await authenticate(bearer(key));
    expect(reads).toEqual([id, id]);
  });

  it('does not let a wrong secret in beside a key that was accepted', async () => {
    const { id, key } = await createKey();
    await authenticate(bearer(key));
    const wrong = `msk_${id}_${generateKey().key.slice(13)}`;
    expect(await refusal(bearer(wrong))).toMatchObject({ status: 401 });
    expect(reads).toEqual([id, id]);
    await authenticate(bearer(key));
    expect(reads).toEqual([id, id]);
  });

  it('is not done for keys that were refused', async () => {
    const { id, key } = generateKey();
    await refusal(bearer(key));
    await refusal(bearer(key));
    expect(reads).toEqual([id, id]);
  });

  it('has a bounded size: the oldest goes first', async () => {
    const records = new Map<string, KeyRecord>();
    const keys = Array.from({ length: 1_001 }, generateKey);
    for (const { id, key } of keys) {
      const createdAt = new Date(now).toISOString();
      records.set(id, {
        id,
        hash: hashKey(pepper, key),
        name: '',
        scopes: ['admin'],
        tier: 'free',
        state: 'active',
        createdAt,
      });
    }
    let count = 0;
    const bounded = authenticator({
      keys: {
        find: async (id) => {
          count++;
          return records.get(id);
        },
      },
      tenants: { find: async () => undefined },
      pepper: async () => pepper,
    });
    for (const { key } of keys) await bounded(bearer(key));
    await bounded(bearer(keys.at(-1)?.key ?? ''));
    expect(count).toBe(1_001);
    await bounded(bearer(keys[0]?.key ?? ''));
    expect(count).toBe(1_002);
  });
});

describe('when keys cannot be checked', () => {
  it.each([
    ['the store', { find: () => Promise.reject(new Error('no route to host')) }, async () => pepper],
    ['the pepper', { find: async () => undefined }, () => Promise.reject(new Error('no route to host'))],
  ])('because of %s, nobody is let in and the caller may try again', async (_name, broken, brokenPepper) => {
    authenticate = authenticator({
      keys: broken,
      tenants: { find: async () => undefined },
      pepper: brokenPepper,
    });
    expect(await refusal(bearer(generateKey().key))).toMatchObject({
      status: 503,
      message: expect.not.stringContaining('route'),
      headers: { 'retry-after': '1' },
    });
  });
});

describe('the store of keys', () => {
  it('takes each id once', async () => {
    const { id } = await createKey();
    const again = {
      id: keyIdSchema.parse(id),
      hash: '',
      name: '',
      scopes: [],
      tier: 'free',
      state: 'active',
      createdAt: new Date(now).toISOString(),
    } as const;
    expect(await store.create({ ...again, scopes: [] })).toBe(false);
    expect(await store.find(id)).toMatchObject({ name: 'A key' });
  });

  it('never holds the key itself', async () => {
    const { id, key } = await createKey();
    expect(JSON.stringify(await store.find(id))).not.toContain(key.slice(13));
  });
});
