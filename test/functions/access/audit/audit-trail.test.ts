import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { AuditReader } from '../../../../functions/access/audit/audit-reader.ts';
import { AuditTrail, type AuditTrailOptions } from '../../../../functions/access/audit/audit-trail.ts';
import { followChain, sequenceKey } from '../../../../functions/access/audit/chain.ts';
import { lanes } from '../../../../functions/access/audit/days.ts';
import { boundEntry } from '../../../../functions/access/audit/entry.ts';
import { chainPartition } from '../../../../functions/access/audit/table-keys.ts';
import { startDynamo, type TestDynamo } from '../../shared/dynamodb.ts';
import { entryOf, intercept, itemsOf } from './support.ts';

const table = 'audit';
let dynamo: TestDynamo;
let now: number;
let days = 0;
let day: string;

beforeAll(async () => {
  dynamo = await startDynamo(table);
});
afterAll(() => dynamo.stop());

/** Each test has a day of its own. */
beforeEach(() => {
  now = Date.UTC(2026, 0, ++days, 10);
  day = new Date(now).toISOString().slice(0, 10);
});

const trail = (options: Partial<AuditTrailOptions> = {}) =>
  new AuditTrail({ client: dynamo.client, table, now: () => now, retentionDays: 90, ...options });

/** Counts the calls of one trail. */
function counting(): { client: TestDynamo['client']; calls: string[] } {
  const calls: string[] = [];
  const client = intercept(dynamo.client, (command, send) => {
    calls.push(command.constructor.name);
    return send();
  });
  return { client, calls };
}

async function whole(lane: number): Promise<number> {
  const reader = new AuditReader(dynamo.client, table, () => now);
  const { findings, items } = await followChain(day, lane, reader.chain(day, lane));
  expect(findings).toEqual([]);
  return items;
}

describe('appending to the audit trail', () => {
  it('is one write for each entry, after the first', async () => {
    const { client, calls } = counting();
    const audit = trail({ client, lane: 0 });
    await audit.append(entryOf());
    calls.length = 0;
    await audit.append(entryOf());
    await audit.append(entryOf());
    expect(calls).toEqual(['PutCommand', 'PutCommand']);
    expect(await whole(0)).toBe(3);
  });

  it('does not collide with itself: what is appended at the same time waits', async () => {
    const { client, calls } = counting();
    const audit = trail({ client, lane: 3 });
    await Promise.all(Array.from({ length: 6 }, () => audit.append(entryOf())));
    expect(calls.filter((name) => name === 'PutCommand')).toHaveLength(6);
    expect(await whole(3)).toBe(6);
  });

  it('keeps who, what, on what, from where, with what outcome, and until when', async () => {
    await trail({ lane: 1 }).append(entryOf({ actor: { keyId: 'abcdefgh', name: 'One', tenant: 'acme' } }));
    const [item] = await itemsOf(dynamo, table, day, 1);
    expect(item).toMatchObject({
      ...entryOf({ actor: { keyId: 'abcdefgh', name: 'One', tenant: 'acme' } }),
      ...{ day, lane: 1, sequence: 1 },
      ...{ pk: `AUDIT#${day}#1`, sk: '000000000001', gsi1pk: 'AUDIT#2026-11-20' },
    });
    // The end of the day, and 90 days.
    expect(item?.expiresAt).toBe((Date.parse(day) + 91 * 24 * 60 * 60 * 1_000) / 1_000);
  });

  it('goes on where another process has ended, and begins anew each day', async () => {
    await trail({ lane: 2 }).append(entryOf());
    const second = trail({ lane: 2 });
    await second.append(entryOf());
    expect(await whole(2)).toBe(2);
    now = Date.UTC(2026, 0, ++days, 0, 0, 1);
    day = new Date(now).toISOString().slice(0, 10);
    await second.append(entryOf());
    expect(await whole(2)).toBe(1);
  });

  it('loses nothing and doubles nothing, however many write at the same time', async () => {
    const writers = Array.from({ length: 16 }, () => trail());
    const targets: string[] = [];
    await Promise.all(
      writers.flatMap((writer, index) =>
        Array.from({ length: 8 }, (_, number) => {
          const target = `/writers/${index}/${number}`;
          targets.push(target);
          return writer.append(entryOf({ target }));
        }),
      ),
    );
    const counts = await Promise.all(lanes.map(whole));
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(targets.length);
    const items = (await Promise.all(lanes.map((lane) => itemsOf(dynamo, table, day, lane)))).flat();
    expect(items.map(({ target }) => target).toSorted()).toEqual(targets.toSorted());
  });

  it('finds its place among others in one and the same chain', async () => {
    const writers = Array.from({ length: 5 }, () => trail({ lane: 4 }));
    await Promise.all(writers.flatMap((writer) => [writer.append(entryOf()), writer.append(entryOf())]));
    expect(await whole(4)).toBe(10);
  });

  it('moves to another chain when it meets somebody, unless it is told to stay', async () => {
    const audit = trail();
    await audit.append(entryOf());
    const [lane = -1] = (
      await Promise.all(lanes.map(async (lane) => ((await whole(lane)) > 0 ? [lane] : [])))
    ).flat();
    await trail({ lane }).append(entryOf());
    await audit.append(entryOf());
    const counts = await Promise.all(lanes.map(whole));
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(3);
  });

  it('does not add an entry again that the store had taken without saying so', async () => {
    let puts = 0;
    const client = intercept(dynamo.client, async (command, send) => {
      const answer = await send();
      // As the SDK does when the answer to its first attempt was lost.
      return command instanceof PutCommand && ++puts === 1 ? send() : answer;
    });
    const audit = trail({ client, lane: 5 });
    await audit.append(entryOf());
    expect(await whole(5)).toBe(1);
    await audit.append(entryOf());
    expect(await whole(5)).toBe(2);
  });

  it('gives up after some attempts, and says so', async () => {
    let puts = 0;
    const client = intercept(dynamo.client, async (command, send) => {
      if (!(command instanceof PutCommand)) return send();
      puts++;
      throw Object.assign(new Error('taken'), { name: 'ConditionalCheckFailedException' });
    });
    const audit = trail({ client, lane: 6, sleep: async () => {} });
    await expect(audit.append(entryOf())).rejects.toThrow('found no place');
    expect(puts).toBe(12);
  });

  it('throws when the store is down, and works again when it is back', async () => {
    let down = true;
    const client = intercept(dynamo.client, async (_command, send) => {
      if (down) throw new Error('down');
      return send();
    });
    const audit = trail({ client });
    await expect(audit.append(entryOf())).rejects.toThrow('down');
    down = false;
    await audit.append(entryOf());
  });

  it('does not write over an entry that is there', async () => {
    const audit = trail({ lane: 7 });
    await audit.append(entryOf());
    await dynamo.client.send(
      new PutCommand({
        TableName: table,
        Item: { pk: chainPartition(day, 7), sk: sequenceKey(2), sequence: 2, id: 'x', hash: '0'.repeat(64) },
      }),
    );
    await audit.append(entryOf());
    const items = await itemsOf(dynamo, table, day, 7);
    expect(items.map(({ id }) => id === 'x')).toEqual([false, true, false]);
  });
});

describe('what an entry holds', () => {
  it('has no query string, no key, no control character and no endless text', () => {
    const key = `msk_abcdefgh_${'s'.repeat(43)}`;
    const bound = boundEntry(
      entryOf({
        target: `/api/x/${key}?token=secret#more`,
        actor: { keyId: undefined, name: `a\nb\u0000${'n'.repeat(500)}` },
      }),
    );
    expect(bound.target).toBe('/api/x/msk_…');
    expect(bound.actor.name).toBe(`a\ufffdb\ufffd${'n'.repeat(196)}`);
    expect('keyId' in bound.actor).toBe(false);
  });

  it('is one line of JSON with well-formed text, whatever comes in', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 1_500 }), (text) => {
        const bound = boundEntry(entryOf({ target: text, action: text, sourceIp: text }));
        for (const value of [bound.target, bound.action, bound.sourceIp]) {
          expect(value.isWellFormed()).toBe(true);
          expect(value).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
          expect(value.length).toBeLessThanOrEqual(1_000);
        }
      }),
    );
  });
});
