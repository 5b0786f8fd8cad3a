import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { Problem } from '../../shared/problem.ts';
import { exportResponse, type OtlpType } from '../../tracing/otlp/answers.ts';
import {
  type Counters,
  decodeExport,
  type ExportReader,
  type OtlpExport,
  orSendAgain,
} from '../../tracing/otlp/take-export.ts';
import { metricsFromJson } from './from-json.ts';
import { metricsFromProtobuf } from './from-protobuf.ts';
import { takeIn } from './intake.ts';
import type { ReportKeeper } from './keep-reports.ts';
import { maximumPoints } from './limits.ts';
import type { ResourceMetrics } from './model.ts';
import { describeRejected } from './rejections.ts';

export interface MetricsIngestOptions {
  readonly keeper: Pick<ReportKeeper, 'keep'>;
  readonly metrics: Counters;
  /** Ms since 1970. */
  readonly now: number;
}

const reader: ExportReader<ResourceMetrics> = {
  message: 'ExportMetricsServiceRequest',
  fromProtobuf: metricsFromProtobuf,
  fromJson: metricsFromJson,
};

/**
 * Keeps what an OTLP request reports. It is kept when this returns.
 *
 * @returns the answer, in the request's encoding.
 * @throws Problem 400, 413 or 415 for what will never be accepted; 503 with `Retry-After` when it was not kept.
 */
export async function ingestMetrics(
  sent: OtlpExport,
  { keeper, metrics, now }: MetricsIngestOptions,
): Promise<{ type: OtlpType; body: string | Uint8Array }> {
  const { type, request } = decodeExport(sent, reader);
  const points = countPoints(request);
  if (points > maximumPoints) {
    throw new Problem(
      'payload-too-large',
      `A request has at most ${maximumPoints} data points, and this one ${points}.`,
    );
  }
  const { reports, rejected } = takeIn(request, now);
  await orSendAgain('metrics', () =>
    keeper.keep(reports, (why, count) => rejected.set(why, (rejected.get(why) ?? 0) + count)),
  );
  const refused = [...rejected.values()].reduce((sum, count) => sum + count, 0);
  metrics.addMetric('DataPointsTaken', MetricUnit.Count, points - refused);
  metrics.addMetric('DataPointsRejected', MetricUnit.Count, refused);
  const message = describeRejected(rejected);
  return { type, body: exportResponse(type, { member: 'rejectedDataPoints', rejected: refused, message }) };
}

function countPoints(request: readonly ResourceMetrics[]): number {
  let points = 0;
  for (const { scopeMetrics } of request) {
    for (const { metrics } of scopeMetrics) for (const { data } of metrics) points += data.points.length;
  }
  return points;
}
