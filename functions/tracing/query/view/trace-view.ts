import { isError } from '../../model.ts';
import type { StoredTrace } from '../../store/trace-reader.ts';
import { correctClocks } from './clock-skew.ts';
import { criticalPath, type PathSegment } from './critical-path.ts';
import { gapsBetween, selfTime } from './intervals.ts';
import { listedEntries, type TraceView } from './schema.ts';
import { endMsOf, type SpanNode, type SpanTree, treeOf } from './span-node.ts';
import { rfc3339OfNano } from './times.ts';
import { rounded, viewOfSpan } from './view-span.ts';

/** One page of a trace’s spans. */
export interface ViewPage {
  /** How many spans come before it. */
  readonly from: number;
  readonly limit: number;
  /** The page ends earlier where its spans, as JSON, get larger than this. */
  readonly characters: number;
}

/** A trace as it is shown, and where the next page of its spans begins. */
export function traceView(trace: StoredTrace, page: ViewPage): { view: TraceView; next?: number } {
  const tree = treeOf(trace.spans);
  correctClocks(tree);
  const { ordered, roots, orphans, loops } = tree;
  const gaps = gapsBetween(ordered);
  const skews = ordered.filter((node) => node.skewMs !== (node.parent?.skewMs ?? 0));
  const missing = missingOf(orphans);
  const root = roots.find(({ item }) => item.span.parentSpanId === undefined);
  const path = pathOf(roots);
  const spans = pageOf(tree, path, page);
  const next = page.from + spans.length;
  const firstMs = least(ordered.map(({ startMs }) => startMs));
  const lastMs = -least(ordered.map((node) => -endMsOf(node)));
  const view: TraceView = {
    traceId: trace.traceId,
    startTime: rfc3339OfNano(tree.startNano),
    durationMs: rounded(lastMs - firstMs),
    service: root?.item.service ?? null,
    operation: root?.item.span.name ?? null,
    spanCount: ordered.length,
    errorCount: ordered.filter(({ item }) => isError(item.span)).length,
    services: servicesOf(ordered),
    complete: trace.complete && roots.length === 1 && orphans.length === 0 && loops.length === 0,
    completeness: ordered.length / (ordered.length + missing.length),
    truncated: !trace.complete,
    rootCount: roots.length,
    missing: missing.slice(0, listedEntries),
    missingCount: missing.length,
    orphans: orphans.slice(0, listedEntries).map(({ spanId, item: { service, span } }) => ({
      ...{ spanId, missingParentId: span.parentSpanId ?? '', service, operation: span.name },
    })),
    orphanCount: orphans.length,
    gaps: gaps.slice(0, listedEntries).map(shown),
    gapCount: gaps.length,
    clockSkews: skews.slice(0, listedEntries).map(({ spanId, item, skewMs, parent }) => ({
      ...{ spanId, service: item.service, skewMs: rounded(skewMs - (parent?.skewMs ?? 0)) },
    })),
    clockSkewCount: skews.length,
    loops: loops.slice(0, listedEntries).map(({ spanId }) => spanId),
    criticalPath: path.slice(0, listedEntries).map((segment) => ({
      ...{ spanId: segment.node.spanId, service: segment.node.item.service },
      ...{ operation: segment.node.item.span.name, ...shown(segment) },
    })),
    criticalPathLength: path.length,
    spans,
    nextToken: null,
  };
  return next < ordered.length ? { view, next } : { view };
}

/** The critical path of the root; where there are several, of the one that took the longest. */
function pathOf(roots: readonly SpanNode[]): PathSegment[] {
  const longest = roots.reduce<SpanNode | undefined>(
    (most, node) => (most === undefined || node.durationMs > most.durationMs ? node : most),
    undefined,
  );
  return longest === undefined ? [] : criticalPath(longest);
}

function pageOf({ ordered }: SpanTree, path: readonly PathSegment[], { from, limit, characters }: ViewPage) {
  const critical = new Map<SpanNode, number>();
  for (const { node, fromMs, toMs } of path) critical.set(node, (critical.get(node) ?? 0) + toMs - fromMs);
  const spans: TraceView['spans'] = [];
  let size = 0;
  for (const node of ordered.slice(from, from + limit)) {
    const span = viewOfSpan(node, { selfMs: selfTime(node), criticalMs: critical.get(node) ?? 0 });
    size += JSON.stringify(span).length;
    // One is always there, so that whoever follows the pages gets on.
    if (size > characters && spans.length > 0) break;
    spans.push(span);
  }
  return spans;
}

function missingOf(orphans: readonly SpanNode[]): TraceView['missing'] {
  const byParent = Map.groupBy(orphans, ({ item }) => item.span.parentSpanId ?? '');
  return [...byParent].map(([spanId, children]) => ({
    spanId,
    children: children.length,
    services: [...new Set(children.map(({ item }) => item.service))].sort(),
    ...shown({
      fromMs: least(children.map(({ startMs }) => startMs)),
      toMs: -least(children.map((child) => -endMsOf(child))),
    }),
  }));
}

function servicesOf(nodes: readonly SpanNode[]): TraceView['services'] {
  const byService = Map.groupBy(nodes, ({ item }) => item.service);
  return [...byService]
    .map(([service, own]) => ({
      service,
      spans: own.length,
      errors: own.filter(({ item }) => isError(item.span)).length,
      selfMs: rounded(own.reduce((sum, node) => sum + selfTime(node), 0)),
    }))
    .sort((one, other) => other.selfMs - one.selfMs || (one.service < other.service ? -1 : 1));
}

const shown = ({ fromMs, toMs }: { fromMs: number; toMs: number }) => ({
  fromMs: rounded(fromMs),
  toMs: rounded(toMs),
});

const least = (numbers: readonly number[]) =>
  numbers.reduce((smallest, number) => Math.min(smallest, number), Number.POSITIVE_INFINITY);
