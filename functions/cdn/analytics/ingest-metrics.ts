import { type Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { Ingested } from './ingest.ts';

/**
 * Adds what a log says to the metrics: `EdgeRequests`, `EdgeHits`, `EdgeMisses`, `EdgeServerErrors`, `LogLines`, `LogBadLines`
 * (counts), `EdgeBytes` (sent), `LogIngestLag` (ms from the log’s arrival to now) and `LogAge` (ms since its latest request). Of a log that
 * was counted before, only the lag.
 */
export function addIngestMetrics(
  metrics: Metrics,
  { added, summary }: Ingested,
  arrived: Date,
  now: Date,
): void {
  metrics.addMetric('LogIngestLag', MetricUnit.Milliseconds, Math.max(0, now.getTime() - arrived.getTime()));
  if (!added) return;
  const totals = { requests: 0, hits: 0, misses: 0, serverErrors: 0, bytes: 0 };
  for (const byTenant of summary.intervals.values()) {
    for (const traffic of byTenant.values()) {
      totals.requests += traffic.requests;
      totals.hits += traffic.hits;
      totals.misses += traffic.misses;
      totals.bytes += traffic.bytes;
      totals.serverErrors += traffic.statuses[5] ?? 0;
    }
  }
  metrics.addMetric('EdgeRequests', MetricUnit.Count, totals.requests);
  metrics.addMetric('EdgeHits', MetricUnit.Count, totals.hits);
  metrics.addMetric('EdgeMisses', MetricUnit.Count, totals.misses);
  metrics.addMetric('EdgeServerErrors', MetricUnit.Count, totals.serverErrors);
  metrics.addMetric('EdgeBytes', MetricUnit.Bytes, totals.bytes);
  metrics.addMetric('LogLines', MetricUnit.Count, summary.lines);
  metrics.addMetric('LogBadLines', MetricUnit.Count, summary.badLines);
  if (summary.latest === undefined) return;
  metrics.addMetric('LogAge', MetricUnit.Milliseconds, Math.max(0, now.getTime() - summary.latest * 1000));
}
