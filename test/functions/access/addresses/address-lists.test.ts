import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { AddressListStore, type Entry } from '../../../../functions/access/addresses/address-list-store.ts';
import { AddressLists, listsMs } from '../../../../functions/access/addresses/address-lists.ts';
import { startDynamo, type TestDynamo } from '../../shared/dynamodb.ts';
import { takeOutput } from '../../shared/output.ts';
import { midnight, policyOf, problemOf, processOf, request } from '../limits/samples.ts';
import { serve } from '../limits/serve.ts';

const entry = (list: Entry['list'], network: string): Entry => ({
  list,
  network,
  addedAt: '2026-11-21T00:00:00.000Z',
  addedBy: 'operator',
});

describe('the lists of addresses', () => {
  let now: number;
  let entries: Entry[];
  let reads: number;
  let down: boolean;
  const listsOf = (settings: object) =>
    new AddressLists(
      policyOf(settings),
      async () => {
        reads++;
        if (down) throw new Error('down');
        return entries;
      },
      () => now,
    );
  beforeEach(() => {
    now = midnight;
    entries = [];
    reads = 0;
    down = false;
  });

  it('let everybody in while both are empty', async () => {
    expect(await listsOf({}).check('203.0.113.7')).toBe('allowed');
  });

  it('let in only who is allowed where somebody is, and nobody who is denied', async () => {
    entries = [entry('deny', '203.0.113.7/32')];
    const lists = listsOf({ allow: ['203.0.113.0/24'], deny: ['203.0.113.9'] });
    const verdicts = ['203.0.113.1', '203.0.113.7', '203.0.113.9', '198.51.100.1'].map((address) =>
      lists.check(address),
    );
    expect(await Promise.all(verdicts)).toEqual(['allowed', 'denied', 'denied', 'not-allowed']);
  });

  it('are read at most every thirty seconds', async () => {
    const lists = listsOf({});
    for (let i = 0; i < 10; i++) await lists.check('203.0.113.7');
    expect(reads).toBe(1);
    entries = [entry('deny', '203.0.113.7/32')];
    now += listsMs - 1;
    expect(await lists.check('203.0.113.7')).toBe('allowed');
    now += 1;
    expect(await lists.check('203.0.113.7')).toBe('denied');
    expect(reads).toBe(2);
  });

  it('hold as they were while the store is down', async () => {
    entries = [entry('deny', '203.0.113.7/32')];
    const lists = listsOf({});
    await lists.check('203.0.113.7');
    down = true;
    now += 10 * listsMs;
    for (let i = 0; i < 10; i++) expect(await lists.check('203.0.113.7')).toBe('denied');
    expect(reads).toBe(2);
  });

  it('are those of the policy alone until the store has answered once', async () => {
    down = true;
    const lists = listsOf({ deny: ['203.0.113.7'] });
    expect(await lists.check('203.0.113.7')).toBe('denied');
    expect(await lists.check('203.0.113.8')).toBe('allowed');
  });
});

describe('the routes of the lists', () => {
  let dynamo: TestDynamo;
  let tables = 0;
  let table: string;
  beforeAll(async () => {
    dynamo = await startDynamo(
      'lists0',
      'lists1',
      'lists2',
      'lists3',
      'lists4',
      'lists5',
      'lists6',
      'limits',
    );
  });
  beforeEach(() => {
    table = `lists${tables++}`;
  });
  afterEach(() => {
    takeOutput();
  });
  afterAll(() => dynamo.stop());

  const callOf = (settings: object = {}, inTable = table) =>
    serve({ client: dynamo.client, table: inTable, policy: policyOf(settings), now: () => midnight });
  const at = (list: string, network: string) => {
    const [address = '', prefixLength = ''] = network.split('/');
    return { params: { list, address, prefixLength } };
  };

  it('put networks on a list in canonical form, show them, and take them off', async () => {
    const call = callOf({ deny: ['198.51.100.0/24'] });
    const put = await call('putAddress', { ...at('deny', '203.0.113.7/24'), body: { note: 'scans' } });
    const shown = {
      list: 'deny',
      network: '203.0.113.0/24',
      source: 'api',
      note: 'scans',
      addedAt: '2026-11-21T00:00:00.000Z',
      addedBy: 'operator',
    };
    expect(put).toEqual({ status: 200, body: shown });
    await call('putAddress', { ...at('deny', '203.0.113.0/24'), body: { note: 'scans' } });
    const byDeployment = { list: 'deny', network: '198.51.100.0/24', source: 'deployment', note: null };
    const first = await call('listAddresses', { query: 'limit=1' });
    expect(first.body.addresses).toMatchObject([byDeployment]);
    const second = await call('listAddresses', { query: `limit=1&nextToken=${first.body.nextToken}` });
    expect(second.body).toEqual({ addresses: [shown], nextToken: null });
    expect((await call('deleteAddress', at('deny', '203.0.113.0/24'))).status).toBe(204);
    expect((await call('deleteAddress', at('deny', '203.0.113.0/24'))).status).toBe(404);
    expect((await call('deleteAddress', at('deny', '198.51.100.0/24'))).status).toBe(409);
  });

  it('do not lock out who calls them', async () => {
    const call = callOf();
    expect(await call('putAddress', at('deny', '192.0.2.0/24'))).toMatchObject({
      status: 409,
      body: { detail: 'This would lock out your own address, 192.0.2.1.' },
    });
    expect((await call('putAddress', at('allow', '203.0.113.0/24'))).status).toBe(409);
    expect((await call('putAddress', at('allow', '192.0.2.1/32'))).status).toBe(200);
    expect((await call('putAddress', at('allow', '203.0.113.0/24'))).status).toBe(200);
    expect((await call('deleteAddress', at('allow', '192.0.2.1/32'))).status).toBe(409);
    expect((await call('deleteAddress', at('allow', '203.0.113.0/24'))).status).toBe(204);
    expect((await call('deleteAddress', at('allow', '192.0.2.1/32'))).status).toBe(204);
  });

  it.each([
    ['nonsense/8', 'address'],
    ['203.0.113.7', 'prefixLength'],
    ['203.0.113.7/33', 'prefixLength'],
    ['203.0.113.7/1e1', 'prefixLength'],
    ['::1/129', 'prefixLength'],
    ['::ffff:203.0.113.7/95', 'prefixLength'],
  ])('refuse %p as a network, and name what is wrong', async (network, field) => {
    expect(await callOf({}, 'limits')('putAddress', at('deny', network))).toMatchObject({
      status: 400,
      body: { errors: [{ field: `params.${field}` }] },
    });
  });

  it('put IPv6 networks and IPv4-mapped ones on a list as what they are', async () => {
    const call = callOf({}, 'lists6');
    for (const [given, network] of [
      ['2001:DB8:0::1/32', '2001:db8::/32'],
      ['::ffff:203.0.113.7/120', '203.0.113.0/24'],
    ] as const) {
      expect((await call('putAddress', at('deny', given))).body).toMatchObject({ network });
    }
  });

  it('keep what others change at the same time', async () => {
    const call = callOf({}, 'lists5');
    const answers = await Promise.all(
      [1, 2, 3].map((n) => call('putAddress', at('deny', `203.0.113.${n}/32`))),
    );
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect((await call('listAddresses')).body.addresses).toHaveLength(3);
  });

  it('have a bound', async () => {
    const store = new AddressListStore(dynamo.client, 'lists4');
    const many = Array.from({ length: 500 }, (_, n) => entry('deny', `10.0.${n >> 8}.${n & 255}/32`));
    await store.change(() => many);
    expect((await callOf({}, 'lists4')('putAddress', at('deny', '203.0.113.7/32'))).status).toBe(422);
  });

  it('decide about requests, whatever a header says', async () => {
    await callOf({}, 'limits')('putAddress', at('deny', '203.0.113.0/24'));
    const limits = processOf(dynamo.client, {}, () => midnight);
    await limits.checkAddress(request({ headers: { 'x-forwarded-for': '203.0.113.7' } }));
    const denied = request({ sourceIp: '203.0.113.7', headers: { 'x-forwarded-for': '192.0.2.1' } });
    expect(await problemOf(limits.checkAddress(denied))).toMatchObject({ status: 403 });
  });
});
