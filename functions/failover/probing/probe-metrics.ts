import { MetricResolution, Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { ProbeRecord } from '../model.ts';

/** Apart from the function's own metrics, which are published when it ends: these are of one moment each. */
const metrics = new Metrics();
const { High } = MetricResolution;

/** Where what probes found is told, at once. */
export interface ProbeMetrics {
  /** One shard, as it was found. */
  shard(record: ProbeRecord): void;
  /** Whether the probe itself is cut off. */
  cutOff(at: Date, cutOff: boolean): void;
}

/**
 * Prints what CloudWatch reads metrics from: per shard and for all together, with a resolution of one second.
 * `WriterProbeFailed` (0 or 1; 0 as well where it is the probe that is cut off), `WriterProbeLatency` (ms), of the readers the worst
 * `ReplicaLagBytes` and `ReplicaLagSeconds`, `ReadersUnreachable`, `OtherWriters` (counts); and `ProbeCutOff` (0 or 1).
 */
export const probeMetrics: ProbeMetrics = {
  shard(record) {
    const { shard, at, ok, cutOff, latencyMs, readers, otherWriters } = record;
    metrics.setTimestamp(new Date(at));
    metrics.addDimension('shard', shard).addDimensions({});
    metrics.addMetric('WriterProbeFailed', MetricUnit.Count, ok || cutOff ? 0 : 1, High);
    if (latencyMs !== undefined) {
      metrics.addMetric('WriterProbeLatency', MetricUnit.Milliseconds, latencyMs, High);
    }
    const bytes = readers.flatMap(({ lagBytes }) => lagBytes ?? []);
    const seconds = readers.flatMap(({ lagSeconds }) => lagSeconds ?? []);
    if (bytes.length > 0) metrics.addMetric('ReplicaLagBytes', MetricUnit.Bytes, Math.max(...bytes), High);
    if (seconds.length > 0) {
      metrics.addMetric('ReplicaLagSeconds', MetricUnit.Seconds, Math.max(...seconds), High);
    }
    if (!cutOff) {
      const unreachable = readers.filter(({ reachable }) => !reachable).length;
      metrics.addMetric('ReadersUnreachable', MetricUnit.Count, unreachable, High);
      metrics.addMetric('OtherWriters', MetricUnit.Count, otherWriters.length, High);
    }
    metrics.publishStoredMetrics();
  },
  cutOff(at, cutOff) {
    metrics.setTimestamp(at);
    metrics.addMetric('ProbeCutOff', MetricUnit.Count, cutOff ? 1 : 0, High);
    metrics.publishStoredMetrics();
  },
};
