import * as z from 'zod';
import { checkMath, evaluateMath, type MathValue, one, type Series } from './metric-math.ts';
import type { MetricIdentity } from './metric-series.ts';
import type { Metrics } from './metrics.ts';
import { statistic } from './statistics.ts';

const dimensionsSchema = z
  .array(z.strictObject({ Name: z.string().min(1), Value: z.string().min(1) }))
  .max(30)
  .default([]);
/** 1, 5, 10, 30, or a multiple of 60 seconds. */
export const periodSchema = z.coerce
  .number()
  .int()
  .refine(
    (seconds) => [1, 5, 10, 30].includes(seconds) || (seconds > 0 && seconds % 60 === 0),
    'is not a valid period',
  );

export const metricSchema = z.strictObject({
  Namespace: z.string().min(1),
  MetricName: z.string().min(1),
  Dimensions: dimensionsSchema,
});
export const metricDataQuerySchema = z.strictObject({
  Id: z.string().regex(/^[a-z][a-zA-Z0-9_]*$/),
  Expression: z.string().min(1).optional(),
  Label: z.string().optional(),
  MetricStat: z
    .strictObject({
      Metric: metricSchema,
      Period: periodSchema,
      Stat: z.string(),
      Unit: z.string().optional(),
    })
    .optional(),
  Period: periodSchema.optional(),
  ReturnData: z.boolean().default(true),
  AccountId: z.string().optional(),
});
export type MetricDataQuery = z.infer<typeof metricDataQuerySchema>;

/**
 * Checks queries that belong together.
 *
 * @throws Error that names the query and what is wrong, or not supported.
 */
export function checkQueries(queries: readonly MetricDataQuery[]): void {
  const ids = new Set(queries.map(({ Id }) => Id));
  if (ids.size < queries.length) throw new Error('An Id is used twice.');
  for (const { Id, Expression, MetricStat } of queries) {
    if ((Expression === undefined) === (MetricStat === undefined)) {
      throw new Error(`${Id} needs either an Expression or a MetricStat.`);
    }
    if (MetricStat !== undefined) statistic(MetricStat.Stat);
    if (Expression === undefined) continue;
    const unknown = checkMath(Expression).find((used) => !ids.has(used) || used === Id);
    if (unknown !== undefined)
      throw new Error(`The expression ${Expression} uses ${unknown}, which is not there.`);
  }
}

/** The metric that a query or an alarm is about. */
export function identityOf(metric: z.infer<typeof metricSchema>): MetricIdentity {
  return {
    namespace: metric.Namespace,
    name: metric.MetricName,
    dimensions: Object.fromEntries(metric.Dimensions.map(({ Name, Value }) => [Name, Value])),
  };
}

/** Values of a statistic in periods one after the other. @param start in seconds since the epoch */
export function statisticSeries(
  metrics: Metrics,
  { Metric, Stat, Unit }: NonNullable<MetricDataQuery['MetricStat']>,
  start: number,
  periodSeconds: number,
  count: number,
): Series {
  const identity = identityOf(Metric);
  const compute = statistic(Stat);
  const otherUnit = Unit !== undefined && Unit !== metrics.unitOf(identity);
  return metrics
    .periods(identity, start, periodSeconds, count)
    .map((points) => (points === undefined || otherUnit ? undefined : compute(points)));
}

/** The values of one of several queries, with those it refers to. */
export function queryValue(
  metrics: Metrics,
  queries: readonly MetricDataQuery[],
  id: string,
  window: { start: number; periodSeconds: number; count: number },
): MathValue {
  const { start, periodSeconds, count } = window;
  const evaluate = (wanted: string, above: readonly string[]): MathValue => {
    const query = queries.find(({ Id }) => Id === wanted);
    if (query === undefined || above.includes(wanted))
      throw new Error(`${wanted} refers to itself or to nothing.`);
    if (query.MetricStat !== undefined) {
      return statisticSeries(metrics, query.MetricStat, start, periodSeconds, count);
    }
    return evaluateMath(query.Expression ?? '', {
      length: count,
      periodSeconds,
      series: (other) => evaluate(other, [...above, wanted]),
      metrics: () =>
        queries
          .filter(({ MetricStat }) => MetricStat !== undefined)
          .map(({ Id }) => one(evaluate(Id, above), { length: count })),
    });
  };
  return evaluate(id, []);
}
