import type { KeyValue, Resource } from '../../tracing/model.ts';
import { readKeyValue, readResource } from '../../tracing/otlp/from-protobuf.ts';
import { WireReader, wire } from '../../tracing/otlp/wire.ts';
import type { HistogramPoint, MetricData, NumberPoint, OtlpMetric, ResourceMetrics } from './model.ts';

/**
 * Reads an `ExportMetricsServiceRequest` in protobuf (opentelemetry-proto 1.x, collector/metrics/v1 and metrics/v1). Fields that are
 * not known are passed over.
 *
 * @throws MalformedOtlp
 */
export function metricsFromProtobuf(bytes: Buffer): ResourceMetrics[] {
  const reader = new WireReader(bytes);
  const found: ResourceMetrics[] = [];
  while (reader.next()) {
    if (reader.is(1, wire.bytes)) found.push(readResourceMetrics(reader));
    else reader.skip();
  }
  return found;
}

function readResourceMetrics(reader: WireReader): ResourceMetrics {
  const outer = reader.enter();
  let resource: Resource = { attributes: [] };
  const scopeMetrics: { scope: string; metrics: OtlpMetric[] }[] = [];
  while (reader.next()) {
    if (reader.is(1, wire.bytes)) resource = readResource(reader);
    else if (reader.is(2, wire.bytes)) scopeMetrics.push(readScopeMetrics(reader));
    else reader.skip();
  }
  reader.leave(outer);
  return { resource, scopeMetrics };
}

function readScopeMetrics(reader: WireReader) {
  const outer = reader.enter();
  let scope = '';
  const metrics: OtlpMetric[] = [];
  while (reader.next()) {
    if (reader.is(1, wire.bytes)) scope = readScopeName(reader);
    else if (reader.is(2, wire.bytes)) metrics.push(readMetric(reader));
    else reader.skip();
  }
  reader.leave(outer);
  return { scope, metrics };
}

function readScopeName(reader: WireReader): string {
  const outer = reader.enter();
  let name = '';
  while (reader.next()) {
    if (reader.is(1, wire.bytes)) name = reader.text();
    else reader.skip();
  }
  reader.leave(outer);
  return name;
}

function readMetric(reader: WireReader): OtlpMetric {
  const outer = reader.enter();
  const texts = { name: '', description: '', unit: '' };
  let data: MetricData = { type: 'other', points: [] };
  while (reader.next()) {
    if (reader.is(1, wire.bytes)) texts.name = reader.text();
    else if (reader.is(2, wire.bytes)) texts.description = reader.text();
    else if (reader.is(3, wire.bytes)) texts.unit = reader.text();
    else if (reader.is(5, wire.bytes))
      data = { type: 'gauge', points: readPoints(reader, readNumber).points };
    else if (reader.is(7, wire.bytes)) data = { type: 'sum', ...readPoints(reader, readNumber) };
    else if (reader.is(9, wire.bytes)) data = histogramOf(readPoints(reader, readHistogramPoint));
    else if (reader.is(10, wire.bytes) || reader.is(11, wire.bytes)) {
      data = { type: 'other', points: readPoints(reader, passOver).points };
    } else reader.skip();
  }
  reader.leave(outer);
  return { ...texts, data };
}

interface Points<T> {
  readonly points: T[];
  readonly temporality: number;
  readonly monotonic: boolean;
}

const histogramOf = ({ points, temporality }: Points<HistogramPoint>): MetricData => ({
  ...{ type: 'histogram', points, temporality },
});

/** What gauges, sums, histograms and the others have in common. */
function readPoints<T>(reader: WireReader, read: (reader: WireReader) => T): Points<T> {
  const outer = reader.enter();
  const points: T[] = [];
  let [temporality, monotonic] = [0, false];
  while (reader.next()) {
    if (reader.is(1, wire.bytes)) points.push(read(reader));
    else if (reader.is(2, wire.varint)) temporality = reader.uint();
    else if (reader.is(3, wire.varint)) monotonic = reader.uint() !== 0;
    else reader.skip();
  }
  reader.leave(outer);
  return { points, temporality, monotonic };
}

function passOver(reader: WireReader): object {
  reader.skip();
  return {};
}

function readNumber(reader: WireReader): NumberPoint {
  const outer = reader.enter();
  const attributes: KeyValue[] = [];
  const parts = { start: '0', time: '0', flags: 0 };
  let value: number | undefined;
  while (reader.next()) {
    if (reader.is(7, wire.bytes)) attributes.push(readKeyValue(reader));
    else if (reader.is(2, wire.fixed64)) parts.start = reader.fixed64();
    else if (reader.is(3, wire.fixed64)) parts.time = reader.fixed64();
    else if (reader.is(4, wire.fixed64)) value = reader.double();
    else if (reader.is(6, wire.fixed64)) value = Number(BigInt.asIntN(64, BigInt(reader.fixed64())));
    else if (reader.is(8, wire.varint)) parts.flags = reader.uint();
    else reader.skip();
  }
  reader.leave(outer);
  return { ...parts, attributes, value };
}

function readHistogramPoint(reader: WireReader): HistogramPoint {
  const outer = reader.enter();
  const attributes: KeyValue[] = [];
  const [buckets, bounds]: [number[], number[]] = [[], []];
  const parts = { start: '0', time: '0', flags: 0, count: 0, sum: 0 };
  const count = () => Number(reader.fixed64());
  while (reader.next()) {
    if (reader.is(9, wire.bytes)) attributes.push(readKeyValue(reader));
    else if (reader.is(2, wire.fixed64)) parts.start = reader.fixed64();
    else if (reader.is(3, wire.fixed64)) parts.time = reader.fixed64();
    else if (reader.is(4, wire.fixed64)) parts.count = count();
    else if (reader.is(5, wire.fixed64)) parts.sum = reader.double();
    else if (reader.is(6, wire.bytes)) readPacked(reader, buckets, count);
    else if (reader.is(6, wire.fixed64)) buckets.push(count());
    else if (reader.is(7, wire.bytes)) readPacked(reader, bounds, () => reader.double());
    else if (reader.is(7, wire.fixed64)) bounds.push(reader.double());
    else if (reader.is(10, wire.varint)) parts.flags = reader.uint();
    else reader.skip();
  }
  reader.leave(outer);
  return { ...parts, attributes, buckets, bounds };
}

function readPacked(reader: WireReader, into: number[], read: () => number): void {
  const outer = reader.enter();
  while (reader.more()) into.push(read());
  reader.leave(outer);
}
