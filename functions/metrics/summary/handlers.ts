import type { RouteHandlers } from '../../shared/http-handler.ts';
import type { KeptAnswer } from '../../shared/kept-answer.ts';
import type { CloudMetrics } from '../cloud/cloud-metrics.ts';
import { capabilityFigures } from '../cloud/figures.ts';
import { reportedFigures } from '../reported/figures.ts';
import type { ReportedMetric } from '../reported/reported-store.ts';
import { countedBetween } from '../tally/counters.ts';
import type { Tally } from '../tally/tally.ts';
import type { TallyStore } from '../tally/tally-store.ts';
import type { RouteFigures, summaryRoutes } from './contract.ts';
import { errorFigures, functionFigures, lastHours, routeFigures, totalsOf } from './figures.ts';

interface Parts {
  readonly store: TallyStore;
  /** Everything that was ever counted. */
  readonly counted: KeptAnswer<Tally>;
  /** What services have reported. */
  readonly reported: KeptAnswer<ReportedMetric[]>;
  /** What only CloudWatch has. */
  readonly cloud: CloudMetrics;
  readonly now: () => number;
}

/** How many routes the summary names. */
const named = 5;

/** The handlers of what was counted. */
export function summaryHandlers({
  store,
  counted,
  reported,
  cloud,
  now,
}: Parts): RouteHandlers<typeof summaryRoutes> {
  const read = async (hours: number) => {
    const span = lastHours(hours, now());
    return { span, tally: await countedBetween(store, span.fromMs, span.toMs) };
  };
  return {
    metrics: async ({ query, log }) => {
      const [{ span, tally }, theirs, { series }] = await Promise.all([
        read(query.hours),
        reported.get(),
        cloud.get(log),
      ]);
      const figures = { routes: routeFigures(tally), byFunction: functionFigures(tally) };
      const others = { capabilities: capabilityFigures(series), reported: reportedFigures(theirs, now()) };
      return { status: 200, body: { ...totalsOf(tally, span), ...figures, ...others } };
    },
    summary: async ({ query }) => {
      const { span, tally } = await read(query.hours);
      const routes = routeFigures(tally);
      const top = (by: (route: RouteFigures) => number) =>
        routes
          .filter((route) => by(route) > 0)
          .sort((a, b) => by(b) - by(a))
          .slice(0, named);
      const body = { slowest: top(({ p95Ms }) => p95Ms ?? 0), failing: top(({ errors }) => errors) };
      return { status: 200, body: { ...totalsOf(tally, span), ...body } };
    },
    errors: async ({ query }) => {
      const [{ span, tally }, ever] = await Promise.all([read(query.hours), counted.get()]);
      const { from, to } = totalsOf(tally, span);
      return { status: 200, body: { from, to, errors: errorFigures(tally, ever) } };
    },
  };
}
