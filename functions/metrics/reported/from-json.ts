import { bodyOf, readKeyValue, readResource } from '../../tracing/otlp/from-json.ts';
import type { JsonMessage } from '../../tracing/otlp/json-message.ts';
import type { HistogramPoint, MetricData, NumberPoint, OtlpMetric, ResourceMetrics } from './model.ts';

/**
 * Reads an `ExportMetricsServiceRequest` in OTLP's JSON encoding. Members that are not known are passed over.
 *
 * @throws MalformedOtlp naming the member.
 */
export function metricsFromJson(text: string): ResourceMetrics[] {
  return bodyOf(text).messages('resourceMetrics', (message) => ({
    resource: message.message('resource', readResource) ?? { attributes: [] },
    scopeMetrics: message.messages('scopeMetrics', (of) => ({
      scope: of.message('scope', (scope) => scope.text('name')) ?? '',
      metrics: of.messages('metrics', readMetric),
    })),
  }));
}

function readMetric(message: JsonMessage): OtlpMetric {
  return {
    name: message.text('name'),
    description: message.text('description'),
    unit: message.text('unit'),
    data: message.message('gauge', (of) => ({
      type: 'gauge',
      points: of.messages('dataPoints', readNumber),
    })) ??
      message.message('sum', readSum) ??
      message.message('histogram', readHistogram) ??
      message.message('exponentialHistogram', readOther) ??
      message.message('summary', readOther) ?? { type: 'other', points: [] },
  };
}

const readSum = (message: JsonMessage): MetricData => ({
  type: 'sum',
  temporality: message.uint('aggregationTemporality'),
  monotonic: message.has('isMonotonic') && message.boolean('isMonotonic'),
  points: message.messages('dataPoints', readNumber),
});

const readHistogram = (message: JsonMessage): MetricData => ({
  type: 'histogram',
  temporality: message.uint('aggregationTemporality'),
  points: message.messages('dataPoints', readHistogramPoint),
});

const readOther = (message: JsonMessage): MetricData => ({
  type: 'other',
  points: message.messages('dataPoints', () => ({})),
});

const readPoint = (message: JsonMessage) => ({
  attributes: message.messages('attributes', readKeyValue),
  start: message.uint64('startTimeUnixNano'),
  time: message.uint64('timeUnixNano'),
  flags: message.uint('flags'),
});

function readNumber(message: JsonMessage): NumberPoint {
  const member = message.has('asInt') ? 'asInt' : 'asDouble';
  return { ...readPoint(message), value: message.has(member) ? message.double(member) : undefined };
}

function readHistogramPoint(message: JsonMessage): HistogramPoint {
  return {
    ...readPoint(message),
    count: message.has('count') ? message.double('count') : 0,
    sum: message.has('sum') ? message.double('sum') : 0,
    buckets: message.doubles('bucketCounts'),
    bounds: message.doubles('explicitBounds'),
  };
}
