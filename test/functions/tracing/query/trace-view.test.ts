import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { criticalPath } from '../../../../functions/tracing/query/view/critical-path.ts';
import { selfTime } from '../../../../functions/tracing/query/view/intervals.ts';
import { traceViewSchema } from '../../../../functions/tracing/query/view/schema.ts';
import { treeOf } from '../../../../functions/tracing/query/view/span-node.ts';
import { traceView } from '../../../../functions/tracing/query/view/trace-view.ts';
import { type SpanSample, spanIdOf, spansOf, traceId } from './spans.ts';

const everything = { from: 0, limit: 100_000, characters: 1e9 };
const viewOf = (samples: readonly SpanSample[]) =>
  traceView({ traceId, spans: spansOf(samples), complete: true }, everything).view;

/** Any tree, of any shape and with any overlaps; each span names an earlier one as its parent, or none. */
const anySpans = fc
  .array(fc.record({ parent: fc.nat(), from: fc.nat(200), length: fc.nat(100) }), {
    minLength: 1,
    maxLength: 25,
  })
  .map((all) =>
    all.map(
      ({ parent, from, length }, index): SpanSample => ({
        ...{ id: (index + 1).toString(16).padStart(2, '0'), from, to: from + length },
        ...(index === 0 ? {} : { parent: ((parent % index) + 1).toString(16).padStart(2, '0') }),
      }),
    ),
  );

describe('a trace', () => {
  it('has its spans in a tree, with what each spent itself and what was waited for', () => {
    const view = viewOf([
      { id: 'c', parent: 'a', from: 20, to: 90, service: 'db', name: 'query', error: true },
      { id: 'b', parent: 'a', from: 10, to: 40, service: 'cache', name: 'get', kind: 'client' },
      { id: 'a', from: 0, to: 100, service: 'web', name: 'GET /' },
      { id: 'd', parent: 'c', from: 30, to: 80, service: 'db', name: 'scan' },
    ]);
    expect(traceViewSchema.safeParse(view).error).toBeUndefined();
    expect(view).toMatchObject({
      ...{ service: 'web', operation: 'GET /', durationMs: 100, spanCount: 4, errorCount: 1 },
      ...{ complete: true, completeness: 1, rootCount: 1, missing: [], gaps: [], nextToken: null },
      startTime: '2027-01-15T08:00:00.000000000Z',
    });
    expect(
      view.spans.map(({ spanId, depth, selfMs, criticalMs }) => [spanId[0], depth, selfMs, criticalMs]),
    ).toEqual([
      ['a', 0, 20, 30],
      ['b', 1, 30, 0],
      ['c', 1, 20, 20],
      ['d', 2, 50, 50],
    ]);
    expect(view.criticalPath.map(({ spanId, fromMs, toMs }) => [spanId[0], fromMs, toMs])).toEqual([
      ['a', 0, 20],
      ['c', 20, 30],
      ['d', 30, 80],
      ['c', 80, 90],
      ['a', 90, 100],
    ]);
    expect(view.services[0]).toEqual({ service: 'db', spans: 2, errors: 1, selfMs: 70 });
  });

  it('names the spans that are missing, those that miss them, and times without any span', () => {
    const view = viewOf([
      { id: 'a', from: 0, to: 10 },
      { id: 'b', parent: 'ffff', from: 20, to: 30, service: 'one' },
      { id: 'c', parent: 'ffff', from: 25, to: 50, service: 'two', name: 'late' },
    ]);
    const missing = { spanId: spanIdOf('ffff'), children: 2, services: ['one', 'two'], fromMs: 20, toMs: 50 };
    expect(view).toMatchObject({ missing: [missing], missingCount: 1, complete: false, completeness: 0.75 });
    expect(view.orphans[1]).toMatchObject({ missingParentId: spanIdOf('ffff'), operation: 'late' });
    expect(view.gaps).toEqual([{ fromMs: 10, toMs: 20 }]);
  });

  it('cuts loops of parents, and takes a span id once', () => {
    const view = viewOf([
      { id: 'a', parent: 'b', from: 0, to: 10 },
      { id: 'b', parent: 'a', from: 5, to: 10 },
      { id: 'c', parent: 'c', from: 7, to: 8 },
      { id: 'c', from: 1, to: 2 },
    ]);
    expect(view).toMatchObject({ spanCount: 3, complete: false, loops: [spanIdOf('a'), spanIdOf('c')] });
    expect(view.spans.map(({ spanId, depth }) => [spanId[0], depth])).toEqual([
      ['a', 0],
      ['b', 1],
      ['c', 0],
    ]);
  });

  it('corrects a clock that is ahead or behind, and all spans of that machine by as much', () => {
    const view = viewOf([
      { id: 'a', from: 1_000, to: 1_100, host: 'one' },
      { id: 'b', parent: 'a', from: 1_010, to: 1_090, host: 'one', kind: 'client' },
      { id: 'c', parent: 'b', from: 10, to: 70, host: 'two', kind: 'server' },
      { id: 'd', parent: 'c', from: 20, to: 60, host: 'two' },
      { id: 'e', parent: 'b', from: 5_000, to: 5_040, host: 'three', kind: 'server' },
    ]);
    const at = new Map(view.spans.map(({ spanId, offsetMs, skewMs }) => [spanId[0], [offsetMs, skewMs]]));
    expect(Object.fromEntries(at)).toEqual({
      ...{ a: [990, 0], b: [1_000, 0], c: [1_010, 1_010], d: [1_020, 1_010], e: [1_020, -3_970] },
    });
    expect(view).toMatchObject({ durationMs: 100, clockSkewCount: 2 });
  });

  it('lets work that goes on after its parent be, on whatever machine', () => {
    const view = viewOf([
      { id: 'a', from: 0, to: 10, host: 'one', kind: 'producer' },
      { id: 'b', parent: 'a', from: 500, to: 600, host: 'two', kind: 'consumer' },
    ]);
    expect(view).toMatchObject({ clockSkews: [], durationMs: 600 });
    expect(view.criticalPath).toHaveLength(1);
  });

  it('has a critical path without gaps from the start of its root to the end, whatever overlaps', () => {
    fc.assert(
      fc.property(anySpans, (samples) => {
        const [root] = treeOf(spansOf(samples)).roots;
        if (root === undefined) throw new Error('There is no root');
        const path = criticalPath(root);
        let at = root.startMs;
        for (const { fromMs, toMs, node } of path) {
          expect([fromMs, toMs > fromMs]).toEqual([at, true]);
          expect(node.startMs <= fromMs && toMs <= node.startMs + node.durationMs).toBe(true);
          at = toMs;
        }
        expect(at).toBe(root.startMs + root.durationMs);
      }),
    );
  });

  it('counts as a span’s own time each moment in which no child was at work', () => {
    fc.assert(
      fc.property(anySpans, (samples) => {
        for (const node of treeOf(spansOf(samples)).ordered) {
          let own = 0;
          for (let at = node.startMs; at < node.startMs + node.durationMs; at += 1) {
            const busy = node.children.some(
              (child) => child.startMs <= at && at < child.startMs + child.durationMs,
            );
            if (!busy) own += 1;
          }
          expect(selfTime(node)).toBeCloseTo(own, 6);
        }
      }),
    );
  });

  it('is shown page by page, also a chain of ten thousand spans', () => {
    const chain = Array.from({ length: 10_000 }, (_, index): SpanSample => {
      const id = (index + 1).toString(16).padStart(16, '0');
      return {
        id,
        from: 0,
        to: 100,
        ...(index === 0 ? {} : { parent: index.toString(16).padStart(16, '0') }),
      };
    });
    const trace = { traceId, spans: spansOf(chain), complete: true };
    const seen: number[] = [];
    for (let from: number | undefined = 0; from !== undefined; ) {
      const page = traceView(trace, { from, limit: 4_000, characters: 1_000_000 });
      expect(JSON.stringify(page.view).length).toBeLessThan(1_500_000);
      seen.push(...page.view.spans.map(({ depth }) => depth));
      from = page.next;
    }
    expect(seen).toEqual(chain.map((_, index) => index));
  });
});
