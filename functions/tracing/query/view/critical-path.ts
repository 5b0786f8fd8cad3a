import { endMsOf, type SpanNode } from './span-node.ts';

/** Time that a span on the critical path spent itself. */
export interface PathSegment {
  readonly node: SpanNode;
  readonly fromMs: number;
  readonly toMs: number;
}

/** A span up to a time, at which somebody began to wait for what followed; `own` is time it spent itself. */
interface Step extends PathSegment {
  readonly own: boolean;
}

/**
 * The critical path of a tree: the time that, had it been shorter, would have made the root shorter. From the end of the root
 * backwards, the child that ended last is what was waited for; before it started, whatever ended last before that. Children
 * that outlive their parent count until its end, and children that start after it do not count (Zhang et al.: “CRISP:
 * Critical Path Analysis of Large-Scale Microservice Architectures”, USENIX ATC 2022). The segments follow one another
 * without a gap from the start of the root to its end.
 */
export function criticalPath(root: SpanNode): PathSegment[] {
  const segments: PathSegment[] = [];
  const open: Step[] = [{ node: root, fromMs: root.startMs, toMs: endMsOf(root), own: false }];
  // What was put last happened last: segments are found from the end to the start.
  for (let step = open.pop(); step !== undefined; step = open.pop()) {
    const { own, ...segment } = step;
    if (!own) open.push(...stepsOf(segment));
    else if (segment.toMs > segment.fromMs) segments.push(segment);
  }
  return joined(segments.reverse());
}

/** What a span did within a time, earliest first: its own time, and the children it waited for. */
function stepsOf({ node, fromMs, toMs }: PathSegment): Step[] {
  const endOf = (child: SpanNode) => Math.min(endMsOf(child), toMs);
  const steps: Step[] = [];
  let cursor = toMs;
  for (const child of node.children.toSorted((one, other) => endOf(other) - endOf(one))) {
    const [start, end] = [Math.max(child.startMs, fromMs), endOf(child)];
    if (end > cursor || start >= end) continue;
    steps.push({ node, fromMs: end, toMs: cursor, own: true });
    steps.push({ node: child, fromMs: start, toMs: end, own: false });
    cursor = start;
  }
  steps.push({ node, fromMs, toMs: cursor, own: true });
  return steps.reverse();
}

/** Segments of one span that follow one another are one. */
function joined(segments: readonly PathSegment[]): PathSegment[] {
  const path: PathSegment[] = [];
  for (const segment of segments) {
    const last = path.at(-1);
    if (last?.node === segment.node) path[path.length - 1] = { ...last, toMs: segment.toMs };
    else path.push(segment);
  }
  return path;
}
