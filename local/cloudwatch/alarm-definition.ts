import * as z from 'zod';
import {
  checkQueries,
  type MetricDataQuery,
  metricDataQuerySchema,
  metricSchema,
  periodSchema,
} from './metric-query.ts';

export type AlarmState = 'OK' | 'ALARM' | 'INSUFFICIENT_DATA';

export const comparisons = {
  GreaterThanThreshold: {
    holds: (value: number, threshold: number) => value > threshold,
    words: 'greater than',
  },
  GreaterThanOrEqualToThreshold: {
    holds: (value: number, threshold: number) => value >= threshold,
    words: 'greater than or equal to',
  },
  LessThanThreshold: { holds: (value: number, threshold: number) => value < threshold, words: 'less than' },
  LessThanOrEqualToThreshold: {
    holds: (value: number, threshold: number) => value <= threshold,
    words: 'less than or equal to',
  },
} as const;

/** Targets of an alarm's change of state. */
export const actionsSchema = z
  .array(
    z.string().regex(/^arn:[^:]+:(sns:[^:]*:\d+:[^:]+|lambda:[^:]*:\d+:function:.+)$/, {
      error: ({ input }) => `the action ${input} is not supported: topics and functions are`,
    }),
  )
  .max(5)
  .default([]);
const integer = z.coerce.number().int().min(1);

/** Members of `AWS::CloudWatch::Alarm`. */
const templateSchema = z.strictObject({
  AlarmName: z.string().min(1).max(255),
  AlarmDescription: z.string().optional(),
  ActionsEnabled: z.boolean().default(true),
  AlarmActions: actionsSchema,
  OKActions: actionsSchema,
  InsufficientDataActions: actionsSchema,
  Namespace: z.string().optional(),
  MetricName: z.string().optional(),
  Dimensions: metricSchema.shape.Dimensions,
  Statistic: z.enum(['SampleCount', 'Average', 'Sum', 'Minimum', 'Maximum']).optional(),
  ExtendedStatistic: z.string().optional(),
  Unit: z.string().optional(),
  Period: periodSchema.optional(),
  EvaluationPeriods: integer,
  DatapointsToAlarm: integer.optional(),
  Threshold: z.coerce.number(),
  ComparisonOperator: z.enum(
    [
      'GreaterThanThreshold',
      'GreaterThanOrEqualToThreshold',
      'LessThanThreshold',
      'LessThanOrEqualToThreshold',
    ],
    { error: ({ input }) => `the comparison ${input} is not supported` },
  ),
  TreatMissingData: z.enum(['missing', 'ignore', 'breaching', 'notBreaching']).default('missing'),
  EvaluateLowSampleCountPercentile: z.literal('evaluate').optional(),
  Metrics: z.array(metricDataQuerySchema).optional(),
  Tags: z.array(z.unknown()).optional(),
});
export type AlarmTemplate = z.input<typeof templateSchema>;
/** The same, as it stands in a template: not checked yet. */
export interface AlarmProperties {
  AlarmName: string;
  [property: string]: unknown;
}

/** An alarm on metrics, ready to be evaluated. */
export interface Alarm {
  kind: 'metric';
  name: string;
  arn: string;
  template: z.infer<typeof templateSchema>;
  /** What is watched; exactly one of them returns data. */
  queries: readonly MetricDataQuery[];
  /** Id of the query whose values are compared. */
  watched: string;
  periodSeconds: number;
  evaluationPeriods: number;
  datapointsToAlarm: number;
}

/**
 * Reads an alarm.
 *
 * @throws Error naming what about it is wrong or not supported: anomaly alarms are not.
 */
export function readAlarm(template: AlarmProperties, arnOf: (name: string) => string): Alarm {
  const result = templateSchema.safeParse(template);
  if (!result.success) {
    throw new Error(`The alarm ${template.AlarmName} is not supported: ${z.prettifyError(result.error)}`);
  }
  const alarm = result.data;
  const refuse = (reason: string): never => {
    throw new Error(`The alarm ${alarm.AlarmName} is not supported: ${reason}`);
  };
  const queries = alarm.Metrics ?? [simpleQuery(alarm, refuse)];
  try {
    checkQueries(queries);
  } catch (error) {
    refuse(error instanceof Error ? error.message : String(error));
  }
  const [watched, ...others] = queries.filter(({ ReturnData }) => ReturnData);
  const periods = queries.flatMap(({ MetricStat, Period }) => MetricStat?.Period ?? Period ?? []);
  const [periodSeconds] = periods;
  if (watched === undefined || others.length > 0) return refuse('one of its metrics must return data');
  if (periodSeconds === undefined || new Set(periods).size > 1)
    return refuse('all of its metrics need one period');
  const datapointsToAlarm = alarm.DatapointsToAlarm ?? alarm.EvaluationPeriods;
  if (datapointsToAlarm > alarm.EvaluationPeriods) refuse('DatapointsToAlarm is more than EvaluationPeriods');
  if (periodSeconds * alarm.EvaluationPeriods > 7 * 86_400) refuse('it looks back for more than seven days');
  return {
    kind: 'metric',
    name: alarm.AlarmName,
    arn: arnOf(alarm.AlarmName),
    template: alarm,
    queries,
    watched: watched.Id,
    periodSeconds,
    evaluationPeriods: alarm.EvaluationPeriods,
    datapointsToAlarm,
  };
}

function simpleQuery(
  alarm: z.infer<typeof templateSchema>,
  refuse: (reason: string) => never,
): MetricDataQuery {
  const { Namespace, MetricName, Dimensions, Period, Unit } = alarm;
  const Stat = alarm.Statistic ?? alarm.ExtendedStatistic;
  if (Namespace === undefined || MetricName === undefined || Period === undefined || Stat === undefined) {
    return refuse('it needs Namespace, MetricName, Period and a statistic, or Metrics');
  }
  return {
    Id: 'm1',
    ReturnData: true,
    MetricStat: {
      Metric: { Namespace, MetricName, Dimensions },
      Period,
      Stat,
      ...(Unit === undefined ? {} : { Unit }),
    },
  };
}
