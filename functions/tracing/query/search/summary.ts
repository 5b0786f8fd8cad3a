import { isError } from '../../model.ts';
import type { StoredTrace } from '../../store/trace-reader.ts';
import { correctClocks } from '../view/clock-skew.ts';
import { endMsOf, treeOf } from '../view/span-node.ts';

/** A trace in short. */
export interface TraceSummary {
  readonly traceId: string;
  readonly startNano: bigint;
  readonly durationMs: number;
  /** Of the root; absent where no root is stored. */
  readonly root: { readonly service: string; readonly operation: string } | undefined;
  readonly spanCount: number;
  readonly errorCount: number;
  readonly services: readonly { readonly service: string; readonly spans: number; readonly errors: number }[];
}

/** Sums a trace up. */
export function summaryOf({ traceId, spans }: StoredTrace): TraceSummary {
  const tree = treeOf(spans);
  correctClocks(tree);
  let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const node of tree.ordered) {
    first = Math.min(first, node.startMs);
    last = Math.max(last, endMsOf(node));
  }
  const root = tree.roots.find(({ item }) => item.span.parentSpanId === undefined)?.item;
  const byService = Map.groupBy(tree.ordered, ({ item }) => item.service);
  return {
    traceId,
    startNano: tree.startNano,
    durationMs: Math.max(0, last - first),
    root: root === undefined ? undefined : { service: root.service, operation: root.span.name },
    spanCount: tree.ordered.length,
    errorCount: tree.ordered.filter(({ item }) => isError(item.span)).length,
    services: [...byService]
      .map(([service, own]) => ({
        service,
        spans: own.length,
        errors: own.filter(({ item }) => isError(item.span)).length,
      }))
      .sort((one, other) => other.spans - one.spans || (one.service < other.service ? -1 : 1)),
  };
}
