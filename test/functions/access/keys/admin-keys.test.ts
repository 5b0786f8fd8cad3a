import { DeleteCommand, ScanCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { AdminKeys, isLasting } from '../../../../functions/access/keys/admin-keys.ts';
import { changeKey, revokeKey } from '../../../../functions/access/keys/change-key.ts';
import { issueKey, type KeyDependencies } from '../../../../functions/access/keys/issue-key.ts';
import type { KeyId } from '../../../../functions/access/keys/key-id.ts';
import { type KeyRecord, keyRecordSchema } from '../../../../functions/access/keys/key-record.ts';
import { KeyStore } from '../../../../functions/access/keys/key-store.ts';
import { rerollKey } from '../../../../functions/access/keys/reroll-key.ts';
import { TenantStore } from '../../../../functions/access/tenants/tenant-store.ts';
import { Problem } from '../../../../functions/shared/problem.ts';
import { startDynamo, type TestDynamo } from '../../shared/dynamodb.ts';
import { Crash, Interleaving } from './interleaving.ts';

/** More than the tests have runs. */
const tables = Array.from({ length: 120 }, (_, index) => `access-${index}`);
let table: string;
let dynamo: TestDynamo;
let interleaving: Interleaving;
let deps: KeyDependencies;
let now: number;

beforeAll(async () => {
  dynamo = await startDynamo(...tables);
  interleaving = new Interleaving(dynamo.client);
});
afterAll(() => dynamo.stop());
beforeEach(beginAnew);

/** Goes on with a table that nothing is in. */
function beginAnew() {
  table = tables.pop() ?? 'there are not enough tables';
  now = Date.parse('2026-11-20T10:00:00Z');
  const keys = new KeyStore(dynamo.client, table);
  deps = {
    keys,
    tenants: new TenantStore(dynamo.client, table),
    admins: new AdminKeys(dynamo.client, table, keys),
    pepper: async () => 'a pepper',
    now: () => now,
  };
}

async function items() {
  return (await dynamo.client.send(new ScanCommand({ TableName: table, ConsistentRead: true }))).Items ?? [];
}

/** An older deployment knows its keys and has no set of them. */
const forgetSet = () =>
  dynamo.client.send(new DeleteCommand({ TableName: table, Key: { pk: 'ADMINS', sk: 'ADMINS' } }));

const make = async (changes: { validUntil?: string } = {}): Promise<KeyId> => {
  const request = { name: 'Admin', scopes: ['admin' as const], createdBy: 'test', ...changes };
  return (await issueKey(deps, request)).record.id;
};
const makeSome = async (count: number): Promise<KeyId[]> => {
  const ids: KeyId[] = [];
  for (let i = 0; i < count; i++) {
    now++;
    ids.push(await make());
  }
  return ids;
};
const inTheFuture = () => new Date(now + 60_000).toISOString();

/** The ways in which a key stops being an admin key that lasts. */
const endings = {
  revoke: (id: KeyId) => revokeKey(deps, id),
  demote: (id: KeyId) => changeKey(deps, id, { scopes: ['recovery:read'] }),
  expire: (id: KeyId) =>
    rerollKey(deps, id, { overlapHours: 0, validUntil: inTheFuture(), createdBy: 'test' }),
};
type Ending = keyof typeof endings;
const firstOf = (ids: readonly KeyId[]): KeyId => {
  const [id] = ids;
  if (id === undefined) throw new Error('There is no key');
  return id;
};
const all = {
  ...endings,
  reroll: (id: KeyId) => rerollKey(deps, id, { overlapHours: 0, createdBy: 'test' }),
};
const ending = fc.constantFrom<Ending>('revoke', 'demote', 'expire');

async function lasting(): Promise<KeyRecord[]> {
  const keys = (await items()).filter(({ sk }) => sk === 'KEY');
  return keys.map((item) => keyRecordSchema.parse(item)).filter(isLasting);
}

const lastKey = expect.objectContaining({
  kind: 'conflict',
  message: expect.stringContaining('Make another'),
});

describe('the last admin key', () => {
  it.each<Ending>(['revoke', 'demote', 'expire'])('is kept when somebody would %s it', async (how) => {
    const [id] = await makeSome(1);
    if (id === undefined) throw new Error('No key');
    await expect(endings[how](id)).rejects.toEqual(lastKey);
    expect((await lasting()).map((key) => key.id)).toEqual([id]);
    const other = await make();
    await endings[how](id);
    expect((await lasting()).map((key) => key.id)).toEqual([other]);
  });

  it('may be rerolled: the new key takes its place', async () => {
    const id = await make();
    const { record } = await rerollKey(deps, id, { overlapHours: 0, createdBy: 'test' });
    expect((await lasting()).map((key) => key.id)).toEqual([record.id]);
    await expect(revokeKey(deps, record.id)).rejects.toEqual(lastKey);
  });

  it('may change in every other way', async () => {
    const id = await make();
    expect(await changeKey(deps, id, { name: 'Other', tier: 'enterprise' })).toMatchObject({ name: 'Other' });
    expect(await changeKey(deps, id, { scopes: ['admin', 'ingest'] })).toMatchObject({ state: 'active' });
  });

  it('is the last also when others are left that expire or that cannot do everything', async () => {
    const id = await make();
    const expiring = await make({ validUntil: inTheFuture() });
    await issueKey(deps, { name: 'Reader', scopes: ['recovery:read'], createdBy: 'test' });
    await expect(revokeKey(deps, id)).rejects.toEqual(lastKey);
    expect(await revokeKey(deps, expiring)).toMatchObject({ changed: true });
  });

  it('is found where the set of an older deployment is missing', async () => {
    const [one, two] = await makeSome(2);
    await forgetSet();
    await revokeKey(deps, one ?? two ?? (await make()));
    const [left] = await lasting();
    expect(left?.id).toBe(two);
    await expect(revokeKey(deps, left?.id ?? (await make()))).rejects.toEqual(lastKey);
  });

  it('is not taken for one of two when the other was revoked by hand', async () => {
    const [one, two] = await makeSome(2);
    await dynamo.client.send(
      new UpdateCommand({
        TableName: table,
        Key: { pk: `KEY#${one}`, sk: 'KEY' },
        UpdateExpression: 'SET #state = :revoked',
        ExpressionAttributeNames: { '#state': 'state' },
        ExpressionAttributeValues: { ':revoked': 'revoked' },
      }),
    );
    await expect(revokeKey(deps, two ?? (await make()))).rejects.toEqual(lastKey);
  });
});

describe('whatever happens at the same time, and whoever is gone half-way', () => {
  const target = fc.record({
    how: fc.oneof(ending, fc.constant('reroll' as const)),
    key: fc.nat({ max: 3 }),
    calls: fc.option(fc.nat({ max: 14 })),
  });
  const runs = fc.record({
    keys: fc.integer({ min: 1, max: 4 }),
    older: fc.boolean(),
    targets: fc.array(target, { minLength: 2, maxLength: 5 }),
    order: fc.array(fc.nat({ max: 4 }), { minLength: 1, maxLength: 60 }),
  });

  it('an admin key remains, and what was asked for can be finished', async () => {
    await fc.assert(
      fc.asyncProperty(runs, async ({ keys, older, targets, order }) => {
        beginAnew();
        const ids = await makeSome(keys);
        if (older) await forgetSet();
        const requests = targets.map(({ how, key, calls }) => {
          const [id = ids[0]] = ids.slice(key);
          if (id === undefined) throw new Error('No key');
          return { start: () => all[how](id), ...(calls === null ? {} : { calls }) };
        });
        const outcomes = await interleaving.run<unknown>(requests, order);
        for (const outcome of outcomes) {
          if (outcome.status === 'fulfilled') continue;
          expect(outcome.reason instanceof Problem || outcome.reason instanceof Crash).toBe(true);
        }
        expect((await lasting()).length).toBeGreaterThanOrEqual(1);

        // One at a time now: every key can go, but one.
        const spare = await make();
        for (const id of ids) await revokeKey(deps, id);
        const others = (await lasting()).filter(({ id }) => id !== spare);
        for (const { id } of others) await revokeKey(deps, id);
        await expect(revokeKey(deps, spare)).rejects.toEqual(lastKey);
        expect((await lasting()).map(({ id }) => id)).toEqual([spare]);
      }),
      { numRuns: 12 },
    );
  }, 30_000);

  it('of two keys that are revoked at once, one remains, in every order of their calls', async () => {
    await fc.assert(
      fc.asyncProperty(
        ending,
        ending,
        fc.array(fc.nat({ max: 1 }), { minLength: 24, maxLength: 24 }),
        async (one, two, order) => {
          beginAnew();
          const [first, second] = await makeSome(2);
          if (first === undefined || second === undefined) throw new Error('No keys');
          const outcomes = await interleaving.run<unknown>(
            [{ start: () => endings[one](first) }, { start: () => endings[two](second) }],
            order,
          );
          expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
          expect(await lasting()).toHaveLength(1);
        },
      ),
      { numRuns: 10 },
    );
  }, 30_000);

  it('a key remains that somebody holds, as long as nobody is gone', async () => {
    const request = fc.record({
      how: fc.oneof(ending, fc.constant('reroll' as const)),
      key: fc.nat({ max: 1 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 2 }),
        fc.array(request, { minLength: 2, maxLength: 3 }),
        fc.array(fc.nat({ max: 2 }), { minLength: 1, maxLength: 60 }),
        async (count, requests, order) => {
          beginAnew();
          const ids = await makeSome(count);
          const outcomes = await interleaving.run<{ readonly record?: KeyRecord }>(
            requests.map(({ how, key }) => ({
              start: async () => {
                const outcome = await all[how](ids[key] ?? firstOf(ids));
                return 'record' in outcome ? outcome : {};
              },
            })),
            order,
          );
          const shown = outcomes.flatMap((outcome) =>
            outcome.status === 'fulfilled' ? [outcome.value.record?.id] : [],
          );
          const held = (await lasting()).filter(({ id }) => ids.includes(id) || shown.includes(id));
          expect(held.length).toBeGreaterThanOrEqual(1);
        },
      ),
      { numRuns: 10 },
    );
  }, 30_000);
});
