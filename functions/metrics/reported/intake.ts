import { createHash } from 'node:crypto';
import { msOfNano, type Resource, serviceOf } from '../../tracing/model.ts';
import { aheadMs, gaugeMs, reportedLimits as limits } from './limits.ts';
import {
  type HistogramPoint,
  type MetricData,
  type NumberPoint,
  type OtlpMetric,
  type ResourceMetrics,
  temporalities,
} from './model.ts';
import { labelsOf, metricName, type ReportedKind, textOf } from './names.ts';
import type { Rejection } from './rejections.ts';
import type { Point } from './series.ts';

/** What a request says of one metric of one service. */
export interface Report {
  /** As Prometheus has it. */
  readonly name: string;
  readonly service: string;
  readonly kind: ReportedKind;
  readonly help: string;
  readonly unit: string;
  readonly points: Point[];
}

export interface Intake {
  readonly reports: readonly Report[];
  readonly rejected: Map<Rejection, number>;
}

/** Takes of a message what can be kept, and says what cannot and why. */
export function takeIn(message: readonly ResourceMetrics[], now: number): Intake {
  const reports = new Map<string, Report>();
  const rejected = new Map<Rejection, number>();
  const reject = (why: Rejection, points = 1) => {
    if (points > 0) rejected.set(why, (rejected.get(why) ?? 0) + points);
  };
  for (const { resource, scopeMetrics } of message) {
    for (const { scope, metrics } of scopeMetrics) {
      for (const metric of metrics) {
        const shape = shapeOf(metric, serviceOf(resource));
        if (typeof shape === 'string') {
          reject(shape, metric.data.points.length);
          continue;
        }
        const key = `${shape.name}#${shape.service}`;
        const report = reports.get(key) ?? { ...shape, points: [] };
        if (report.kind !== shape.kind) {
          reject('kind', metric.data.points.length);
          continue;
        }
        reports.set(key, report);
        const sender = hashOf([senderOf(resource), scope, metric.name]);
        for (const point of metric.data.type === 'other' ? [] : metric.data.points) {
          // The sender says that it has no value.
          if ((point.flags & 1) === 1) continue;
          const taken = pointOf(point, { sender, kind: shape.kind, data: metric.data, now });
          if (typeof taken === 'string') reject(taken);
          else report.points.push(taken);
        }
      }
    }
  }
  return { reports: [...reports.values()].filter(({ points }) => points.length > 0), rejected };
}

function shapeOf(
  { name, description, unit, data }: OtlpMetric,
  service: string,
): Omit<Report, 'points'> | Rejection {
  const kind = kindOf(data);
  if (kind === undefined) return 'unsupported';
  const known = metricName(name, unit, kind);
  if (known === '' || known.length > limits.name || service.length > limits.name) return 'name';
  if (known.startsWith('mainstay_')) return 'reserved';
  return { ...{ name: known, service, kind }, help: description.slice(0, 500), unit: unit.slice(0, 64) };
}

function kindOf(data: MetricData): ReportedKind | undefined {
  switch (data.type) {
    case 'gauge':
      return 'gauge';
    case 'sum':
      if (data.monotonic) return hasTemporality(data.temporality) ? 'counter' : undefined;
      return data.temporality === temporalities.cumulative ? 'updown' : undefined;
    case 'histogram':
      return hasTemporality(data.temporality) ? 'histogram' : undefined;
    case 'other':
      return undefined;
  }
}

const hasTemporality = (of: number) => of === temporalities.delta || of === temporalities.cumulative;

interface Of {
  readonly sender: string;
  readonly kind: ReportedKind;
  readonly data: MetricData;
  readonly now: number;
}

function pointOf(point: NumberPoint | HistogramPoint, { sender, kind, data, now }: Of): Point | Rejection {
  const delta = 'temporality' in data && data.temporality === temporalities.delta;
  const [start, end] = [msOfNano(point.start), msOfNano(point.time)];
  if (end > now + aheadMs) return 'ahead';
  if ((kind === 'gauge' || kind === 'updown') && end < now - gaugeMs) return 'old';
  const values = valuesOf(point);
  const falls = kind === 'counter' && values.some((value) => value < 0);
  if (end <= 0 || falls || !values.every(Number.isFinite)) return 'invalid';
  const histogram = 'buckets' in point;
  if (histogram && !isWhole(point)) return 'invalid';
  if (histogram && point.buckets.length > limits.buckets) return 'labels';
  const labels = labelsOf(point.attributes);
  const tooLong = Object.entries(labels).some(
    ([name, value]) => name.length > limits.name || value.length > limits.value,
  );
  if (tooLong || Object.keys(labels).length > limits.attributes) return 'labels';
  const run = delta ? 'delta' : kind === 'updown' ? '' : point.start;
  return {
    ...{ labels, delta, start, end, values, run: hashOf([sender, run]) },
    ...(histogram && { bounds: point.bounds }),
  };
}

const valuesOf = (point: NumberPoint | HistogramPoint): number[] => {
  if (!('buckets' in point)) return [point.value ?? Number.NaN];
  // Without bounds there is one bucket, which need not be said.
  return [...(point.buckets.length === 0 ? [point.count] : point.buckets), point.sum];
};

function isWhole({ buckets, bounds, count }: HistogramPoint): boolean {
  const rising = bounds.every(
    (bound, index) => Number.isFinite(bound) && bound > (bounds[index - 1] ?? -Infinity),
  );
  const sum = buckets.reduce((all, each) => all + each, 0);
  const counted =
    buckets.length === 0 ? bounds.length === 0 : buckets.length === bounds.length + 1 && sum === count;
  return rising && counted && count >= 0 && buckets.every((each) => each >= 0);
}

const senderOf = ({ attributes }: Resource): string =>
  JSON.stringify(
    attributes.map(({ key, value }) => [key, textOf(value)]).sort(([a = ''], [b = '']) => (a < b ? -1 : 1)),
  );

const hashOf = (parts: readonly string[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 12);
