import '../../shared/output.ts';
import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { KeyUse } from '../../../../functions/access/keys/key-use.ts';
import { startDynamo, type TestDynamo } from '../../shared/dynamodb.ts';
import { takeRecords } from '../../shared/output.ts';

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
let dynamo: TestDynamo;
let calls: string[];
let down: boolean;
/** The table takes everything and keeps nothing. */
let idle: boolean;
let now: number;
let use: KeyUse;

beforeAll(async () => {
  dynamo = await startDynamo('limits');
  dynamo.client.middlewareStack.add(
    (next, { commandName }) =>
      async (input) => {
        calls.push(commandName ?? '');
        if (down) throw new Error('no route to host');
        return idle ? { output: { $metadata: {} }, response: {} } : next(input);
      },
    { step: 'initialize' },
  );
});
afterAll(() => dynamo.stop());
beforeEach(() => {
  calls = [];
  down = false;
  idle = false;
  now = Date.parse('2026-11-20T10:00:00Z');
  use = new KeyUse(dynamo.client, 'limits', () => now);
});

const iso = (ms: number) => new Date(ms).toISOString();

describe('noting that a key was used', () => {
  it('is done once in five minutes for each key', async () => {
    const first = now;
    await use.note('aaaaaaaa');
    await use.note('bbbbbbbb', 'acme');
    now += 5 * minuteMs - 1;
    await use.note('aaaaaaaa');
    expect(calls).toHaveLength(2);
    expect((await use.lastUsed(['aaaaaaaa'])).get('aaaaaaaa')).toBe(iso(first));
    now += 1;
    await use.note('aaaaaaaa');
    expect(await use.lastUsed(['aaaaaaaa', 'bbbbbbbb', 'cccccccc'])).toEqual(
      new Map([
        ['aaaaaaaa', iso(now)],
        ['bbbbbbbb', iso(first)],
      ]),
    );
  });

  it('is done once also when requests come at the same time', async () => {
    await Promise.all(Array.from({ length: 10 }, () => use.note('dddddddd')));
    expect(calls).toEqual(['UpdateItemCommand']);
  });

  it('fails no request when the table does not answer, says so, and is not tried again at once', async () => {
    takeRecords();
    down = true;
    await use.note('eeeeeeee');
    await use.note('eeeeeeee');
    expect(calls).toHaveLength(1);
    expect(takeRecords()).toMatchObject([{ level: 'WARN', keyId: 'eeeeeeee' }]);
    down = false;
    now += 5 * minuteMs;
    await use.note('eeeeeeee');
    expect((await use.lastUsed(['eeeeeeee'])).get('eeeeeeee')).toBe(iso(now));
  });

  it('needs bounded memory: what was noted first is forgotten first', async () => {
    idle = true;
    for (let i = 0; i < 10_001; i++) await use.note(`key${i}`);
    calls = [];
    await use.note('key10000');
    expect(calls).toEqual([]);
    await use.note('key0');
    expect(calls).toHaveLength(1);
  });

  it('is kept for 400 days, and not told after that whether DynamoDB has removed it or not', async () => {
    await use.note('ffffffff');
    const { Item } = await dynamo.client.send(
      new GetCommand({ TableName: 'limits', Key: { pk: 'KEY#ffffffff', sk: 'USED' } }),
    );
    expect(Item?.expiresAt).toBe(Math.floor((now + 400 * dayMs) / 1_000));
    now += 400 * dayMs;
    expect(await use.lastUsed(['ffffffff'])).toEqual(new Map());
  });
});

describe('asking when keys were last used', () => {
  it('takes one call for a page, and none for no keys', async () => {
    await use.note('gggggggg');
    calls = [];
    const ids = [...Array.from({ length: 99 }, (_, i) => `key${i}`), 'gggggggg', 'gggggggg'];
    expect([...(await use.lastUsed(ids)).keys()]).toEqual(['gggggggg']);
    expect(calls).toEqual(['BatchGetItemCommand']);
    await use.lastUsed([]);
    expect(calls).toHaveLength(1);
  });
});
