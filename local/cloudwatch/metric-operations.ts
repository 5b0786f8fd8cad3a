import * as z from 'zod';
import { defineOperation } from '../aws/define-operation.ts';
import { timestamp } from '../aws/input.ts';
import { AwsError, type Operation } from '../aws/operation.ts';
import { page } from '../aws/paging.ts';
import type { Clock } from '../scheduler/clock.ts';
import { one, type Series } from './metric-math.ts';
import {
  checkQueries,
  identityOf,
  type MetricDataQuery,
  metricDataQuerySchema,
  metricSchema,
  periodSchema,
  queryValue,
  statisticSeries,
} from './metric-query.ts';
import type { MetricIdentity } from './metric-series.ts';
import type { Metrics } from './metrics.ts';

/** Periods that one question may be about, as on AWS. */
const mostPoints = 100_800;
const dimensions = metricSchema.shape.Dimensions;

const putSchema = z.strictObject({
  Namespace: z
    .string()
    .min(1)
    .regex(/^(?!AWS\/)/, 'must not begin with AWS/'),
  MetricData: z
    .array(
      z.strictObject({
        MetricName: z.string().min(1),
        Dimensions: dimensions,
        Timestamp: timestamp.optional(),
        Value: z.number().optional(),
        Values: z.array(z.number()).max(150).optional(),
        Counts: z.array(z.number()).max(150).optional(),
        Unit: z.string().optional(),
        StorageResolution: z.union([z.literal(1), z.literal(60)]).optional(),
      }),
    )
    .min(1)
    .max(1000),
});
const dataSchema = z.strictObject({
  MetricDataQueries: z.array(metricDataQuerySchema).min(1).max(500),
  StartTime: timestamp,
  EndTime: timestamp,
  ScanBy: z.enum(['TimestampDescending', 'TimestampAscending']).default('TimestampDescending'),
  MaxDatapoints: z.number().optional(),
  NextToken: z.string().optional(),
  LabelOptions: z.unknown().optional(),
});
const statisticsSchema = z.strictObject({
  Namespace: z.string(),
  MetricName: z.string(),
  Dimensions: dimensions,
  StartTime: timestamp,
  EndTime: timestamp,
  Period: periodSchema,
  Statistics: z.array(z.string()).default([]),
  ExtendedStatistics: z.array(z.string()).default([]),
  Unit: z.string().optional(),
});
const listSchema = z.strictObject({
  Namespace: z.string().optional(),
  MetricName: z.string().optional(),
  Dimensions: z.array(z.strictObject({ Name: z.string(), Value: z.string().optional() })).default([]),
  NextToken: z.string().optional(),
  RecentlyActive: z.literal('PT3H').optional(),
});

export function metricOperations(metrics: Metrics, clock: Clock): Record<string, Operation> {
  const anywhere = (action: string) => () => [{ action: `cloudwatch:${action}`, resource: '*' }];
  return {
    PutMetricData: defineOperation('cloudwatch:PutMetricData', putSchema, {
      authorize: ({ Namespace }) => [
        { action: 'cloudwatch:PutMetricData', resource: '*', context: { 'cloudwatch:namespace': Namespace } },
      ],
      run: (input) => putData(metrics, clock, input),
    }),
    GetMetricData: defineOperation('cloudwatch:GetMetricData', dataSchema, {
      authorize: anywhere('GetMetricData'),
      run: (input) => getData(metrics, input),
    }),
    GetMetricStatistics: defineOperation('cloudwatch:GetMetricStatistics', statisticsSchema, {
      authorize: anywhere('GetMetricStatistics'),
      run: (input) => getStatistics(metrics, input),
    }),
    ListMetrics: defineOperation('cloudwatch:ListMetrics', listSchema, {
      authorize: anywhere('ListMetrics'),
      run(input) {
        const wanted = metrics.list().filter((identity) => isListed(identity, input));
        const { items, next } = page(wanted, {
          keyOf: (identity) => JSON.stringify(identity),
          limit: 500,
          token: input.NextToken,
          invalidToken: 'InvalidParameterValue',
        });
        return { Metrics: items.map(describe), NextToken: next };
      },
    }),
  };
}

function putData(metrics: Metrics, clock: Clock, input: z.infer<typeof putSchema>): void {
  for (const datum of input.MetricData) {
    const values = datum.Values ?? (datum.Value === undefined ? [] : [datum.Value]);
    if (values.length === 0 || (datum.Counts !== undefined && datum.Counts.length !== values.length)) {
      throw new AwsError(
        'InvalidParameterValue',
        `${datum.MetricName} needs a Value, or Values with as many Counts.`,
      );
    }
    const taken = metrics.record({
      ...identityOf({ ...datum, Namespace: input.Namespace }),
      values,
      ...(datum.Counts === undefined ? {} : { counts: datum.Counts }),
      ...(datum.Unit === undefined ? {} : { unit: datum.Unit }),
      ...(datum.StorageResolution === 1 ? { highResolution: true } : {}),
      timestamp: datum.Timestamp?.getTime() ?? clock.now(),
    });
    if (!taken)
      throw new AwsError('InvalidParameterValue', `The time of ${datum.MetricName} is out of range.`);
  }
}

function getData(metrics: Metrics, input: z.infer<typeof dataSchema>) {
  const queries = input.MetricDataQueries;
  return asParameterErrors(() => {
    checkQueries(queries);
    const shared = queries.flatMap(({ MetricStat, Period }) => MetricStat?.Period ?? Period ?? []);
    const results = queries
      .filter(({ ReturnData }) => ReturnData)
      .map((query) => {
        const periodSeconds = query.MetricStat?.Period ?? query.Period ?? Math.max(...shared);
        const window = windowOf(input.StartTime, input.EndTime, periodSeconds);
        const values = one(queryValue(metrics, queries, query.Id, window), { length: window.count });
        const points = pointsOf(values, window);
        if (input.ScanBy === 'TimestampDescending') points.reverse();
        return {
          Id: query.Id,
          Label: query.Label ?? query.MetricStat?.Metric.MetricName ?? query.Id,
          Timestamps: points.map(({ time }) => time),
          Values: points.map(({ value }) => value),
          StatusCode: 'Complete',
        };
      });
    return { MetricDataResults: results, Messages: [] };
  });
}

function getStatistics(metrics: Metrics, input: z.infer<typeof statisticsSchema>) {
  return asParameterErrors(() => {
    const { Namespace, MetricName, Dimensions, Unit } = input;
    const Metric = { Namespace, MetricName, Dimensions };
    const window = windowOf(input.StartTime, input.EndTime, input.Period);
    const series = (Stat: string): Series => {
      const query: NonNullable<MetricDataQuery['MetricStat']> = {
        Metric,
        Period: input.Period,
        Stat,
        ...(Unit === undefined ? {} : { Unit }),
      };
      return statisticSeries(metrics, query, window.start, window.periodSeconds, window.count);
    };
    const present = pointsOf(series('SampleCount'), window);
    const simple = input.Statistics.map((name) => [name, series(name)] as const);
    const extended = input.ExtendedStatistics.map((name) => [name, series(name)] as const);
    const at = (all: typeof simple, index: number) =>
      Object.fromEntries(all.map(([name, values]) => [name, values[index]]));
    return {
      Label: MetricName,
      Datapoints: present.map(({ time, index }) => ({
        Timestamp: time,
        Unit: metrics.unitOf(identityOf(Metric)),
        ...at(simple, index),
        ...(extended.length === 0 ? {} : { ExtendedStatistics: at(extended, index) }),
      })),
    };
  });
}

interface Window {
  start: number;
  periodSeconds: number;
  count: number;
}

/** The periods between two times: from the one that holds the first, up to the second. */
function windowOf(from: Date, to: Date, periodSeconds: number): Window {
  const start = Math.floor(from.getTime() / 1000 / periodSeconds) * periodSeconds;
  const count = Math.ceil((to.getTime() / 1000 - start) / periodSeconds);
  if (count <= 0) throw new Error('The parameter StartTime must be less than the parameter EndTime.');
  if (count > mostPoints)
    throw new Error(`You have requested up to ${count} datapoints, more than ${mostPoints}.`);
  return { start, periodSeconds, count };
}

function pointsOf(values: Series, { start, periodSeconds }: Window) {
  return values.flatMap((value, index) =>
    value === undefined ? [] : [{ value, index, time: new Date((start + index * periodSeconds) * 1000) }],
  );
}

function isListed(identity: MetricIdentity, input: z.infer<typeof listSchema>): boolean {
  return (
    (input.Namespace === undefined || input.Namespace === identity.namespace) &&
    (input.MetricName === undefined || input.MetricName === identity.name) &&
    input.Dimensions.every(
      ({ Name, Value }) =>
        Object.hasOwn(identity.dimensions, Name) &&
        (Value === undefined || identity.dimensions[Name] === Value),
    )
  );
}

function describe({ namespace, name, dimensions: all }: MetricIdentity) {
  return {
    Namespace: namespace,
    MetricName: name,
    Dimensions: Object.entries(all).map(([Name, Value]) => ({ Name, Value })),
  };
}

function asParameterErrors<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw new AwsError('InvalidParameterValue', error instanceof Error ? error.message : String(error));
  }
}
