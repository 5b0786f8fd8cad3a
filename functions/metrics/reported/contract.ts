import type { RouteContract } from '../../shared/contract.ts';
import { maximumSentBytes, maximumUnpackedBytes } from '../../tracing/ingest/limits.ts';
import { otlpTypes } from '../../tracing/otlp/answers.ts';
import { maximumPoints } from './limits.ts';

/** The route by which services report metrics of their own. */
export const reportedRoutes = {
  exportMetrics: {
    method: 'POST',
    path: '/v1/metrics',
    scope: 'ingest',
    summary: 'Take metrics from OpenTelemetry',
    description: `OTLP/HTTP 1.x: an \`ExportMetricsServiceRequest\` in protobuf or JSON, as it is or in gzip, deflate or zstd. At most ${maximumSentBytes} bytes as sent, ${maximumUnpackedBytes} unpacked, ${maximumPoints} data points. Sums, gauges and histograms with explicit buckets; cumulative or delta. What the answer does not reject is kept; sending it again changes nothing. Errors are a \`google.rpc.Status\` in the encoding of the request.`,
    protocol: 'otlp',
    servedBy: 'ingest',
    unaudited: true,
    rawBody: { contentTypes: [otlpTypes.protobuf, otlpTypes.json], maximumBytes: maximumSentBytes },
    responses: {
      200: {
        description:
          'An `ExportMetricsServiceResponse`: its `partialSuccess` says how many data points were rejected and why.',
        contentType: otlpTypes.protobuf,
      },
    },
  },
} as const satisfies Record<string, RouteContract>;
