import type { TraceSpan } from '../../model.ts';

/** A span in its place in the tree of its trace. Times are milliseconds since the trace’s earliest start. */
export interface SpanNode {
  readonly item: TraceSpan;
  readonly spanId: string;
  startMs: number;
  readonly durationMs: number;
  parent: SpanNode | undefined;
  readonly children: SpanNode[];
  depth: number;
  /** What its clock was corrected by. */
  skewMs: number;
}

export interface SpanTree {
  /** Spans without a parent, then those whose parent is not stored, then the first of each loop. */
  readonly roots: readonly SpanNode[];
  /** All spans, parents before their children and children in the order of their start. */
  readonly ordered: readonly SpanNode[];
  /** Spans that name a parent which is not stored. */
  readonly orphans: readonly SpanNode[];
  /** Spans whose parents lead back to themselves: the loop was cut before each of them. */
  readonly loops: readonly SpanNode[];
  /** Start of the trace before any correction, in nanoseconds since the epoch. */
  readonly startNano: bigint;
}

/** Puts the spans of a trace into a tree, whatever their order. A span id that comes twice counts once. */
export function treeOf(spans: readonly TraceSpan[]): SpanTree {
  const startNano = spans.reduce<bigint | undefined>((earliest, { span }) => {
    const start = BigInt(span.startTimeUnixNano);
    return earliest === undefined || start < earliest ? start : earliest;
  }, undefined);
  const base = startNano ?? 0n;
  const nodes = new Map<string, SpanNode>();
  for (const item of spans) {
    if (!nodes.has(item.span.spanId)) nodes.set(item.span.spanId, nodeOf(item, base));
  }
  const roots: SpanNode[] = [];
  const orphans: SpanNode[] = [];
  for (const node of nodes.values()) {
    const { parentSpanId } = node.item.span;
    const parent = parentSpanId === undefined ? undefined : nodes.get(parentSpanId);
    if (parent !== undefined) {
      node.parent = parent;
      parent.children.push(node);
    } else (parentSpanId === undefined ? roots : orphans).push(node);
  }
  for (const siblings of [roots, orphans]) siblings.sort(byStart);
  for (const { children } of nodes.values()) children.sort(byStart);
  const ordered: SpanNode[] = [];
  const placed = new Set<SpanNode>();
  place([...roots, ...orphans], ordered, placed);
  const loops: SpanNode[] = [];
  for (const node of [...nodes.values()].sort(byStart)) {
    if (placed.has(node)) continue;
    cut(node);
    loops.push(node);
    place([node], ordered, placed);
  }
  return { roots: [...roots, ...orphans, ...loops], ordered, orphans, loops, startNano: base };
}

export const endMsOf = ({ startMs, durationMs }: SpanNode) => startMs + durationMs;

function nodeOf(item: TraceSpan, base: bigint): SpanNode {
  const start = BigInt(item.span.startTimeUnixNano);
  const duration = BigInt(item.span.endTimeUnixNano) - start;
  return {
    ...{ item, spanId: item.span.spanId, startMs: Number(start - base) / 1e6 },
    ...{ durationMs: duration < 0n ? 0 : Number(duration) / 1e6 },
    ...{ parent: undefined, children: [], depth: 0, skewMs: 0 },
  };
}

/** Walks without recursion: a trace may be a chain of thousands of spans. */
function place(roots: readonly SpanNode[], ordered: SpanNode[], placed: Set<SpanNode>): void {
  const open = roots.toReversed();
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    node.depth = node.parent === undefined ? 0 : node.parent.depth + 1;
    ordered.push(node);
    placed.add(node);
    open.push(...node.children.toReversed());
  }
}

function cut(node: SpanNode): void {
  const siblings = node.parent?.children ?? [];
  siblings.splice(siblings.indexOf(node), 1);
  node.parent = undefined;
}

function byStart(one: SpanNode, other: SpanNode): number {
  return one.startMs - other.startMs || (one.spanId < other.spanId ? -1 : 1);
}
