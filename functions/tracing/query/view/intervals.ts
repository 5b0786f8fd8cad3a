import { endMsOf, type SpanNode } from './span-node.ts';

export interface Interval {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Intervals without overlaps, in order, that cover what the given ones cover. */
export function union(intervals: readonly Interval[]): Interval[] {
  const sorted = [...intervals].sort((one, other) => one.fromMs - other.fromMs);
  const merged: Interval[] = [];
  for (const interval of sorted) {
    const last = merged.at(-1);
    if (last === undefined || interval.fromMs > last.toMs) merged.push(interval);
    else merged[merged.length - 1] = { ...last, toMs: Math.max(last.toMs, interval.toMs) };
  }
  return merged;
}

/** What a span spent itself: its duration without the time in which at least one child was at work. */
export function selfTime(node: SpanNode): number {
  const [from, to] = [node.startMs, endMsOf(node)];
  const children = node.children
    .map((child) => ({ fromMs: Math.max(from, child.startMs), toMs: Math.min(to, endMsOf(child)) }))
    .filter(({ fromMs, toMs }) => toMs > fromMs);
  const waited = union(children).reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
  return Math.max(0, node.durationMs - waited);
}

/** The times between the first start and the last end in which no span was at work. */
export function gapsBetween(nodes: readonly SpanNode[]): Interval[] {
  const covered = union(nodes.map((node) => ({ fromMs: node.startMs, toMs: endMsOf(node) })));
  return covered.slice(1).map((interval, index) => ({
    fromMs: covered[index]?.toMs ?? interval.fromMs,
    toMs: interval.fromMs,
  }));
}
