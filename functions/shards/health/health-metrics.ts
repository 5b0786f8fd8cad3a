import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { InstanceHealth, ReasonCode, ShardHealth } from './model.ts';

/** Apart from the function's own metrics, which are published when it ends: each of these is of one shard. */
const metrics = new Metrics();

/** What counts as an instance that does not do its part. */
const notServing: ReadonlySet<ReasonCode> = new Set<ReasonCode>([
  ...(['timeout', 'unreachable', 'refused', 'starting', 'login-refused', 'not-prepared'] as const),
  ...(['too-many-connections', 'wrong-role', 'replica-lag', 'not-streaming'] as const),
]);

/** The figures of a shard that alarms and the dashboard look at: of its instances the worst, or their sum. */
export function figuresOf({ state, reasons, writer, readers }: ShardHealth): Record<HealthMetric, number> {
  const loads = [writer, ...readers].flatMap(({ load }: InstanceHealth) => load ?? []);
  const most = (values: readonly number[]) => Math.max(0, ...values);
  const full = reasons.some(({ code }) => code === 'too-many-connections');
  return {
    ShardDown: state === 'down' ? 1 : 0,
    InstancesUnhealthy: new Set(
      reasons.filter(({ code }) => notServing.has(code)).map(({ instance }) => instance ?? ''),
    ).size,
    ConnectionsUsedPercent: full
      ? 100
      : most(
          loads.map(({ connections: { used, usable } }) => Math.round((100 * used) / Math.max(1, usable))),
        ),
    LongTransactions: most(loads.map(({ longTransactions }) => longTransactions.count)),
    BlockedQueries: most(loads.map(({ blockedQueries }) => blockedQueries.count)),
    WraparoundPercent: Math.round(100 * (writer.load?.wraparound.usedShare ?? 0)),
  };
}

export type HealthMetric =
  | 'ShardDown'
  | 'InstancesUnhealthy'
  | 'ConnectionsUsedPercent'
  | 'LongTransactions'
  | 'BlockedQueries'
  | 'WraparoundPercent';

const percent: ReadonlySet<string> = new Set<HealthMetric>(['ConnectionsUsedPercent', 'WraparoundPercent']);

/** Prints what CloudWatch reads metrics from: per shard, and for all together. */
export function publishHealth(health: ShardHealth): void {
  metrics.setTimestamp(new Date(health.at));
  metrics.addDimension('shard', health.shard).addDimensions({});
  for (const [name, value] of Object.entries(figuresOf(health))) {
    metrics.addMetric(name, percent.has(name) ? MetricUnit.Percent : MetricUnit.Count, value);
  }
  const { writer } = health;
  if (writer.load !== null && writer.queryMs !== null) {
    metrics.addMetric('DatabaseSizeBytes', MetricUnit.Bytes, writer.load.databaseSizeBytes);
    metrics.addMetric('WriterQueryMs', MetricUnit.Milliseconds, writer.queryMs);
  }
  metrics.publishStoredMetrics();
}

/** `SlowQueries`, per shard and for all together: slow statements since the look before. */
export function publishSlow(shard: string, count: number): void {
  metrics.addDimension('shard', shard).addDimensions({});
  metrics.addMetric('SlowQueries', MetricUnit.Count, count);
  metrics.publishStoredMetrics();
}
