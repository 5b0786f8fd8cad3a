import {
  type CloudWatchClient,
  GetMetricDataCommand,
  type MetricDataResult,
} from '@aws-sdk/client-cloudwatch';
import { onDependency } from '../../shared/dependency.ts';
import type { CloudStore } from './cloud-store.ts';
import { type CloudSeries, cloudFamilies } from './families.ts';
import type { CloudQuery } from './queries.ts';

/** Values are of so many seconds each, which CloudWatch keeps for 63 days. */
const periodMs = 300_000;
/** How long a value may take to get to CloudWatch. */
const lagMs = 180_000;
/** How far back a reading goes that comes late: what happened before is not counted. */
const mostMs = 24 * 3_600_000;
/** How long somebody's question is taken as a wish to know more. */
const askedMs = 3_600_000;
/** So that an answer has at most 100 800 values, which is what CloudWatch gives. */
const queriesOfCall = 300;
const mostPages = 20;

interface Parts {
  readonly client: CloudWatchClient;
  readonly store: Pick<CloudStore, 'read' | 'put' | 'askedAt'>;
  readonly queries: () => Promise<readonly CloudQuery[]>;
  readonly now: () => number;
}

/** What came of it: how many metrics were asked for, which is what CloudWatch is paid for. */
export interface CloudRead {
  readonly outcome: 'read' | 'unasked' | 'too-early' | 'overtaken';
  readonly metrics: number;
}

/**
 * Reads what has happened in CloudWatch since the last reading, each period once: counters go on from where they were, gauges take the
 * latest value. Nothing is read while nobody asks, or before a period has ended.
 *
 * @throws DependencyError when CloudWatch or the table does not answer; the next run then reads what this one has not.
 */
export async function readCloud({ client, store, queries, now }: Parts): Promise<CloudRead> {
  if ((await store.askedAt()) < now() - askedMs) return { outcome: 'unasked', metrics: 0 };
  const { upTo, version, series } = await store.read();
  const to = Math.floor((now() - lagMs) / periodMs) * periodMs;
  const from = Math.max(upTo, to - mostMs);
  if (to <= from) return { outcome: 'too-early', metrics: 0 };
  const wanted = await queries();
  // Counters begin with the first reading; gauges have a past.
  const values = await valuesOf(client, wanted, { from, to });
  const before = new Map(series.map((each) => [keyOf(each), each]));
  const after = wanted.map((query, index): CloudSeries | undefined => {
    const points = values.get(index) ?? [];
    const old = before.get(keyOf(query));
    return cloudFamilies[query.family].type === 'counter'
      ? counted(query, points, old, upTo === 0)
      : latest(query, points, old);
  });
  const reading = { upTo: to, version, series: after.filter((each) => each !== undefined) };
  const written = await store.put(reading);
  return { outcome: written ? 'read' : 'overtaken', metrics: wanted.length };
}

interface Point {
  readonly at: number;
  readonly value: number;
}

const keyOf = ({ family, labels }: Pick<CloudSeries, 'family' | 'labels'>): string =>
  JSON.stringify([family, Object.entries(labels).sort(([one], [two]) => (one < two ? -1 : 1))]);

function counted(
  { family, labels, scale = 1 }: CloudQuery,
  points: readonly Point[],
  old: CloudSeries | undefined,
  first: boolean,
): CloudSeries {
  const added = first ? 0 : points.reduce((sum, { value }) => sum + value, 0) * scale;
  const at = Math.max(old?.at ?? 0, ...points.map((point) => point.at));
  return { family, labels, value: (old?.value ?? 0) + Math.max(0, added), at };
}

function latest(
  { family, labels, scale = 1 }: CloudQuery,
  points: readonly Point[],
  old: CloudSeries | undefined,
): CloudSeries | undefined {
  const newest = points.reduce<Point | undefined>(
    (found, point) => (found === undefined || point.at > found.at ? point : found),
    undefined,
  );
  return newest === undefined ? old : { family, labels, value: newest.value * scale, at: newest.at };
}

/** The values of each query, by its place. A value is of the moment at which its period ends. */
async function valuesOf(
  client: CloudWatchClient,
  queries: readonly CloudQuery[],
  { from, to }: { from: number; to: number },
): Promise<Map<number, Point[]>> {
  const found = new Map<number, Point[]>();
  for (let first = 0; first < queries.length; first += queriesOfCall) {
    const those = queries.slice(first, first + queriesOfCall);
    let token: string | undefined;
    for (let page = 0; page < mostPages; page += 1) {
      const answer = await onDependency('CloudWatch', 'GetMetricData', () =>
        client.send(
          new GetMetricDataCommand({
            StartTime: new Date(from),
            EndTime: new Date(to),
            ScanBy: 'TimestampAscending',
            MetricDataQueries: those.map((query, index) => asked(query, first + index)),
            NextToken: token,
          }),
        ),
      );
      for (const result of answer.MetricDataResults ?? []) take(found, result);
      token = answer.NextToken;
      if (token === undefined) break;
    }
    if (token !== undefined) throw new Error('CloudWatch has more values than were asked for.');
  }
  return found;
}

const asked = ({ namespace, metric, dimensions, statistic }: CloudQuery, place: number) => ({
  Id: `m${place}`,
  MetricStat: {
    Metric: {
      ...{ Namespace: namespace, MetricName: metric },
      Dimensions: Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value })),
    },
    ...{ Period: periodMs / 1000, Stat: statistic },
  },
});

function take(
  found: Map<number, Point[]>,
  { Id = '', Timestamps = [], Values = [] }: MetricDataResult,
): void {
  const place = Number(Id.slice(1));
  const points = Timestamps.flatMap((timestamp, index): Point[] => {
    const value = Values[index];
    return value === undefined ? [] : [{ at: timestamp.getTime() + periodMs, value }];
  });
  found.set(place, [...(found.get(place) ?? []), ...points]);
}
