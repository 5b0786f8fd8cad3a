import type * as z from 'zod';
import { sketchRelativeError } from '../../shared/sketches/quantile.ts';
import { spanKinds } from '../model.ts';
import { Groups, type Tally } from '../stats/groups.ts';
import type { Totals } from '../stats/totals.ts';
import type { queryRoutes } from './routes.ts';
import { rounded } from './view/view-span.ts';

type StatsAnswer = z.input<(typeof queryRoutes.traceStats.responses)[200]['schema']>;

/** The most services and dependencies that one answer lists. */
const most = 1_000;

/** What was counted, as it is answered: the most called first. */
export function statsAnswer(
  { operations, calls, unresolvedCalls, range, complete }: Totals,
  { operation: only, limit }: { operation?: string | undefined; limit: number },
): StatsAnswer {
  const byOperation = new Groups();
  const byService = new Groups();
  for (const [[service = '', operation = '', kind = '', entry], tally] of operations.entries()) {
    if (only !== undefined && only !== operation) continue;
    byOperation.merge([service, operation, kind], tally);
    if (entry === 'entry') byService.merge([service], tally);
  }
  return {
    from: new Date(range.fromMs).toISOString(),
    to: new Date(range.toMs).toISOString(),
    complete,
    relativeError: sketchRelativeError,
    services: mostCalled(byService)
      .slice(0, most)
      .map(([[service = ''], tally]) => ({ service, ...told(tally) })),
    operations: mostCalled(byOperation)
      .slice(0, limit)
      .map(([[service = '', operation = '', kind], tally]) => ({
        ...{ service, operation, ...told(tally) },
        kind: spanKinds.find((known) => known === kind) ?? 'unspecified',
      })),
    operationCount: byOperation.size,
    dependencies: mostCalled(calls)
      .slice(0, most)
      .map(([[parent = '', child = ''], tally]) => ({
        parent,
        child,
        ...told(tally),
      })),
    unresolvedCalls,
  };
}

function mostCalled(groups: Groups) {
  return groups.entries().sort(([, one], [, other]) => other.count - one.count);
}

function told({ count, errors, durations }: Tally) {
  const quantile = (of: number) => rounded(durations.quantile(of) ?? 0);
  return {
    ...{ count, errors, errorRate: count === 0 ? 0 : errors / count },
    ...{ p50Ms: quantile(0.5), p95Ms: quantile(0.95), p99Ms: quantile(0.99) },
  };
}
