import { type DynamoDBDocumentClient, ScanCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { RequestLimits } from '../../../../functions/access/limits/request-limits.ts';
import { startDynamo, type TestDynamo } from '../../shared/dynamodb.ts';
import {
  admitted,
  midnight,
  newAddress,
  newCaller,
  policyOf,
  problemOf,
  processOf,
  request,
  route,
  table,
} from './samples.ts';

// The machine may be busy.
jest.setTimeout(30_000);
let dynamo: TestDynamo;
let calls: number;
let down: boolean;
let now: number;

beforeAll(async () => {
  dynamo = await startDynamo(table);
  dynamo.client.middlewareStack.add(
    (next) => (input) => {
      calls++;
      if (down) throw new Error('no route to host');
      return next(input);
    },
    { step: 'initialize' },
  );
});
afterAll(() => dynamo.stop());
beforeEach(() => {
  calls = 0;
  down = false;
  now = midnight;
});

const limitsOf = (settings: object, client: DynamoDBDocumentClient = dynamo.client) =>
  processOf(client, settings, () => now);

describe('a request with a key', () => {
  it('is told its limits and what is left of them', async () => {
    const limits = limitsOf({});
    now += 15_000;
    expect(await limits.ofCaller(request(), newCaller({ tier: 'starter' }), route)).toEqual({
      'ratelimit-policy': '"starter";q=1000;w=60',
      ratelimit: '"starter";r=999;t=45',
    });
  });

  it('is counted without a question to the store most of the time', async () => {
    const limits = limitsOf({});
    const caller = newCaller({ tier: 'enterprise' });
    for (let i = 0; i < 2_000; i++) await limits.ofCaller(request(), caller, route);
    expect(calls).toBeLessThan(60);
  });

  it('is refused with the time to wait, the headers and the name of the limit', async () => {
    const limits = limitsOf({ tiers: { free: 2 } });
    const caller = newCaller();
    for (let i = 0; i < 2; i++) await limits.ofCaller(request(), caller, route);
    const problem = await problemOf(limits.ofCaller(request(), caller, route));
    expect(problem).toMatchObject({
      status: 429,
      message: 'The limit `free` (2 in 60 s) is used up. Try again in 90 s.',
      headers: {
        'retry-after': '90',
        'ratelimit-policy': '"free";q=2;w=60',
        ratelimit: '"free";r=0;t=90',
      },
      extensions: { 'violated-policies': ['free'] },
    });
    now += 89_999;
    expect(await admitted(limits.ofCaller(request(), caller, route))).toBe(false);
    now += 1;
    expect(await admitted(limits.ofCaller(request(), caller, route))).toBe(true);
  });

  it('is refused from memory while it has to wait', async () => {
    const limits = limitsOf({ tiers: { free: 1 } });
    const caller = newCaller();
    for (let i = 0; i < 2; i++) await admitted(limits.ofCaller(request(), caller, route));
    const before = calls;
    for (let i = 0; i < 50; i++) await admitted(limits.ofCaller(request(), caller, route));
    expect(calls).toBe(before);
  });

  it('has to wait longer each time it comes back in vain, up to eight seconds', async () => {
    const caller = newCaller();
    const settings = { algorithm: 'token-bucket', tiers: { free: 60 } };
    const other = limitsOf(settings);
    const waits: (string | undefined)[] = [];
    const limits = limitsOf(settings);
    for (let i = 0; i < 6; i++) {
      // Whatever refills goes to somebody else.
      while (await admitted(other.ofCaller(request(), caller, route)));
      const { headers } = await problemOf(limits.ofCaller(request(), caller, route));
      waits.push(headers['retry-after']);
      now += 1_000 * Number(headers['retry-after']);
    }
    expect(waits).toEqual(['1', '2', '4', '8', '8', '8']);
  });

  it('is refused after three questions where the counter is spread over more items', async () => {
    const policy = policyOf({ tiers: { free: 20_000 } });
    const caller = newCaller();
    const start = () =>
      new RequestLimits({ client: dynamo.client, table, policy, now: () => now, random: () => 0 });
    const use = (limits: RequestLimits) => admitted(limits.ofCaller(request(), caller, route));
    const busy = start();
    let count = 0;
    while (await use(busy)) count++;
    expect(count).toBe(20_000);
    const other = start();
    calls = 0;
    expect([await use(other), await use(other)]).toEqual([false, false]);
    // Three of four items are read, and the refusal is reported.
    expect(calls).toBe(4);
  });

  it('does not use up what another key has', async () => {
    const limits = limitsOf({ tiers: { free: 1 } });
    expect(await admitted(limits.ofCaller(request(), newCaller(), route))).toBe(true);
    expect(await admitted(limits.ofCaller(request(), newCaller(), route))).toBe(true);
  });
});

describe('a limit of a route', () => {
  const one = (per: string, changes: object = {}) => ({
    routes: [{ route: 'GET /api/things', per, requests: 1, windowSeconds: 60, ...changes }],
  });

  it.each([
    ['key', {}, {}],
    ['tenant', { tenant: 'acme' }, {}],
    ['address', {}, { sourceIp: '2001:db8:1:2::3' }],
    ['user', {}, { headers: { 'mainstay-user': 'ann@example.com' } }],
  ])('holds per %s', async (per, callerChanges, requestChanges) => {
    const limits = limitsOf(one(per));
    const caller = newCaller(callerChanges);
    const use = () => limits.ofCaller(request(requestChanges), caller, route);
    expect(await use()).toEqual({
      'ratelimit-policy': `"free";q=100;w=60, "GET /api/things per ${per} in 60 s";q=1;w=60`,
      ratelimit: `"free";r=99;t=60, "GET /api/things per ${per} in 60 s";r=0;t=120`,
    });
    expect(await admitted(use())).toBe(false);
    expect(
      await admitted(limits.ofCaller(request(requestChanges), caller, { ...route, path: '/api/other' })),
    ).toBe(true);
  });

  it('counts users of one key apart, and the same user of another key too', async () => {
    const limits = limitsOf(one('user'));
    const caller = newCaller();
    const by = (user: string, who = caller) =>
      admitted(limits.ofCaller(request({ headers: { 'mainstay-user': user } }), who, route));
    expect([await by('ann'), await by('bob'), await by('ann'), await by('ann', newCaller())]).toEqual([
      true,
      true,
      false,
      true,
    ]);
  });

  it('does not keep the name of a user, and refuses one that is too long', async () => {
    const limits = limitsOf(one('user'));
    const of = (user: string) =>
      limits.ofCaller(request({ headers: { 'mainstay-user': user } }), newCaller(), route);
    await of('ann@example.com');
    const { Items } = await dynamo.client.send(new ScanCommand({ TableName: table }));
    expect(JSON.stringify(Items)).not.toContain('ann@example');
    expect(await problemOf(of('x'.repeat(257)))).toMatchObject({
      status: 400,
      errors: [{ field: 'headers.mainstay-user', message: 'has more than 256 characters' }],
    });
  });

  it('does not hold for keys without a tenant where it is per tenant', async () => {
    const limits = limitsOf(one('tenant'));
    const caller = newCaller();
    for (let i = 0; i < 3; i++) expect(await admitted(limits.ofCaller(request(), caller, route))).toBe(true);
  });

  it('that is used up leaves the limit of the key as it was', async () => {
    const limits = limitsOf({ tiers: { free: 3 }, ...one('key') });
    const caller = newCaller();
    for (let i = 0; i < 5; i++) await admitted(limits.ofCaller(request(), caller, route));
    const other = { ...route, path: '/api/other' } as const;
    expect(await admitted(limits.ofCaller(request(), caller, other))).toBe(true);
    expect(await admitted(limits.ofCaller(request(), caller, other))).toBe(true);
    expect(await admitted(limits.ofCaller(request(), caller, other))).toBe(false);
  });

  it('has a name of its own where two are alike', async () => {
    const [limit] = one('key').routes;
    const limits = limitsOf({ routes: [limit, limit] });
    const headers = await limits.ofCaller(request(), newCaller(), route);
    expect(headers['ratelimit-policy']).toContain('"GET /api/things per key in 60 s (2)"');
  });
});

describe('a request without a key', () => {
  it('counts by address: IPv6 by /64, IPv4-mapped as IPv4', async () => {
    const limits = limitsOf({ withoutKey: { requests: 1, windowMinutes: 15 } });
    const from = (sourceIp: string) => admitted(limits.withoutKey(request({ sourceIp }), route));
    expect([
      await from('2001:db8:0:1::1'),
      await from('2001:db8:0:1:ffff::2'),
      await from('2001:db8:0:2::1'),
    ]).toEqual([true, false, true]);
    const address = newAddress();
    expect([await from(address), await from(`::ffff:${address}`)]).toEqual([true, false]);
  });
});

describe('when the store is down', () => {
  const busy = async () => {
    const limits = limitsOf({ tiers: { free: 200 } });
    const caller = newCaller();
    // The last lease has four units, of which one is used.
    for (let i = 0; i < 4; i++) await limits.ofCaller(request(), caller, route);
    down = true;
    now += 10_000;
    return { limits, caller };
  };

  it('reads go on within the size of the last lease, and nothing else does', async () => {
    const { limits, caller } = await busy();
    expect(await problemOf(limits.ofCaller(request({ method: 'POST' }), caller, route))).toMatchObject({
      status: 503,
      headers: { 'retry-after': '1' },
      message: expect.not.stringContaining('route to host'),
    });
    for (let i = 0; i < 4; i++) await limits.ofCaller(request(), caller, route);
    expect(await problemOf(limits.ofCaller(request(), caller, route))).toMatchObject({ status: 503 });
  });

  it('it is asked at most once a second', async () => {
    const { limits, caller } = await busy();
    calls = 0;
    for (let i = 0; i < 10; i++)
      await limits.ofCaller(request({ method: 'POST' }), caller, route).catch(() => {});
    expect(calls).toBe(1);
  });

  it('a process that has not counted anything yet lets nobody in', async () => {
    down = true;
    const limits = limitsOf({});
    expect(await problemOf(limits.ofCaller(request(), newCaller(), route))).toMatchObject({ status: 503 });
    expect(await problemOf(limits.withoutKey(request(), route))).toMatchObject({ status: 503 });
  });

  it('no credential is looked at', async () => {
    down = true;
    const limits = limitsOf({});
    expect(await problemOf(limits.beforeLookup(request()))).toMatchObject({ status: 503 });
    expect(await problemOf(limits.failed(request()))).toMatchObject({ status: 503 });
  });

  it('and up again, everything goes on', async () => {
    const { limits, caller } = await busy();
    await problemOf(limits.ofCaller(request({ method: 'POST' }), caller, route));
    down = false;
    now += 1_000;
    expect(await limits.ofCaller(request({ method: 'POST' }), caller, route)).toBeDefined();
  });
});

describe('refused credentials', () => {
  it('of an address are counted one by one, by all processes together', async () => {
    const sourceIp = newAddress();
    const processes = [limitsOf({}), limitsOf({})];
    for (let i = 0; i < 5; i++) {
      const limits = processes[i % 2];
      await limits?.beforeLookup(request({ sourceIp }));
      await limits?.failed(request({ sourceIp }));
    }
    for (const limits of [...processes, limitsOf({})]) {
      expect(await problemOf(limits.beforeLookup(request({ sourceIp })))).toMatchObject({
        status: 429,
        headers: { 'retry-after': '1080', ratelimit: '"failed-credentials";r=0;t=1080' },
        extensions: { 'violated-policies': ['failed-credentials'] },
      });
      await limits.beforeLookup(request({ sourceIp: newAddress() }));
    }
  });

  it('block an address without further questions to the store, until its time is over', async () => {
    const sourceIp = newAddress();
    const limits = limitsOf({ failedCredentials: { attempts: 1 } });
    await limits.failed(request({ sourceIp }));
    await problemOf(limits.beforeLookup(request({ sourceIp })));
    const before = calls;
    for (let i = 0; i < 20; i++) await problemOf(limits.beforeLookup(request({ sourceIp })));
    expect(calls).toBe(before);
    now += 30 * 60_000;
    await limits.beforeLookup(request({ sourceIp }));
  });

  it('that are refused at the same moment are all counted', async () => {
    const sourceIp = newAddress();
    const limits = limitsOf({ failedCredentials: { attempts: 4 } });
    await Promise.all([1, 2, 3, 4].map(() => limits.failed(request({ sourceIp }))));
    expect(await admitted(limits.beforeLookup(request({ sourceIp })))).toBe(false);
  });
});
