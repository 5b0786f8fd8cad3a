import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { TraceSpan } from '../../../../functions/tracing/model.ts';
import { type Filter, ofService, where, withTag } from '../../../../functions/tracing/query/filter/filter.ts';
import { Budget } from '../../../../functions/tracing/query/search/budget.ts';
import { findPage } from '../../../../functions/tracing/query/search/find-traces.ts';
import type { SearchOrder, SearchPosition } from '../../../../functions/tracing/query/search/search.ts';
import { regroup } from '../../../../functions/tracing/store/items.ts';
import { SpanBlocks } from '../../../../functions/tracing/store/span-blocks.ts';
import { SpanStore } from '../../../../functions/tracing/store/span-store.ts';
import { startDynamo, type TestDynamo } from '../../shared/dynamodb.ts';
import { spansOf } from './spans.ts';

const base = Date.parse('2026-05-04T10:30:00Z');
const hour = 3_600_000;
const range = { fromMs: base - 5 * hour, toMs: base + hour };
const traceIdOf = (index: number) => (index + 1).toString(16).padStart(32, '0');

/** Traces of two spans each, over five hours; each third fails, and no two take the same time. */
const traces = Array.from({ length: 40 }, (_, index): TraceSpan[] =>
  spansOf(
    [
      {
        id: `a${index.toString(16)}`,
        from: 0,
        to: 100 + ((index * 37) % 97),
        name: 'GET /',
        error: index % 3 === 0,
      },
      {
        ...{ id: `b${index.toString(16)}`, parent: `a${index.toString(16)}`, from: 5, to: 50, service: 'db' },
        tags: { customer: `c${index % 4}` },
      },
    ],
    base - index * 450_000,
    traceIdOf(index),
  ),
);

describe('a search', () => {
  let dynamo: TestDynamo;
  let store: SpanStore;
  let blocks: SpanBlocks;
  beforeAll(async () => {
    dynamo = await startDynamo('tracing');
    const common = { client: dynamo.client, table: 'tracing', now: () => base };
    store = new SpanStore({ ...common, retentionDays: 7 });
    blocks = new SpanBlocks(common);
    // Requests hold spans of several traces, and two have the same.
    for (let from = 0; from < traces.length; from += 7) {
      await store.putSpans(regroup(traces.slice(from, from + 8).flat()));
    }
  });
  afterAll(() => dynamo.stop());

  const page = (
    filter: Filter,
    limit: number,
    {
      order = 'newest',
      after,
      budget = new Budget(),
    }: { order?: SearchOrder; after?: SearchPosition; budget?: Budget } = {},
  ) =>
    findPage(
      { filter, range, order, after },
      { blocks, store, budget },
      limit,
      ({ trace }) => Number.parseInt(trace.traceId, 16) - 1,
    );
  const all = async (filter: Filter, limit: number, order: SearchOrder = 'newest', budget?: () => Budget) => {
    const found: number[] = [];
    for (let after: SearchPosition | undefined, pages = 0; ; pages += 1) {
      if (pages > 200) throw new Error('The pages do not end');
      const { items, next } = await page(filter, limit, {
        order,
        ...(after === undefined ? {} : { after }),
        ...(budget === undefined ? {} : { budget: budget() }),
      });
      found.push(...items);
      if (next === undefined) return found;
      after = next;
    }
  };
  const everyOne = traces.map((_, index) => index);

  it('finds each trace once, the newest first, whatever the size of a page', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 50 }), async (limit) => {
        expect(await all({ all: [] }, limit)).toEqual(everyOne);
      }),
      { numRuns: 4 },
    );
  });

  it('finds by service, operation, tag, duration and error', async () => {
    const slow = where({ of: 'durationMs' }, '>=', 150);
    const failed = where({ of: 'error' }, '=', true);
    expect(
      await all({ all: [ofService('api'), where({ of: 'operation' }, '=', 'GET /'), failed] }, 9),
    ).toEqual(everyOne.filter((index) => index % 3 === 0));
    expect(await all(withTag('customer', 'c1'), 100)).toEqual(everyOne.filter((index) => index % 4 === 1));
    expect(await all(slow, 100)).toEqual(everyOne.filter((index) => (index * 37) % 97 >= 50));
    expect(await all({ all: [withTag('customer', 'c1'), ofService('api')] }, 100)).toEqual([]);
  });

  it.each([
    ['oldest', (one: number, other: number) => other - one],
    ['longest', (one: number, other: number) => ((other * 37) % 97) - ((one * 37) % 97)],
    ['shortest', (one: number, other: number) => ((one * 37) % 97) - ((other * 37) % 97)],
  ] as const)('has the %s first when asked to, page by page', async (order, compare) => {
    expect(await all(ofService('api'), 7, order)).toEqual(everyOne.toSorted(compare));
  });

  it('stops at a bound, says so, and goes on there', async () => {
    const calls = { left: 0 };
    const little = () => {
      calls.left = 6;
      return new Budget(() => {
        calls.left -= 1;
        return calls.left > 0;
      });
    };
    const first = await page({ all: [] }, 100, { budget: little() });
    expect(first.items.length).toBeLessThan(40);
    expect(first.readBackToMs).toBe(first.next?.at);
    expect(await all({ all: [] }, 100, 'newest', little)).toEqual(everyOne);
    const longest = await page(ofService('api'), 100, { order: 'longest', budget: little() });
    expect(longest.readBackToMs).toBeGreaterThan(range.fromMs);
  });

  it('ends a page early where the answer has no room, without losing a trace', async () => {
    let room = 3;
    const search = { filter: ofService('api'), range, order: 'newest' } as const;
    const first = await findPage(search, { blocks, store, budget: new Budget() }, 50, ({ trace }) => {
      room -= 1;
      return room < 0 ? undefined : trace.traceId;
    });
    expect(first.items).toEqual([0, 1, 2].map(traceIdOf));
    const second = await page(ofService('api'), 2, first.next === undefined ? {} : { after: first.next });
    expect(second.items).toEqual([3, 4]);
  });
});
