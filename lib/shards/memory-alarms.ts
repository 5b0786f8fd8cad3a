import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import type { ShardConfig } from '../config/data.ts';
import { Alarm } from '../constructs/alarm.ts';
import type { FunctionSettings } from '../constructs/function.ts';
import type { Notifications } from '../constructs/notifications.ts';
import type { Shard } from '../stateful/shard.ts';

const gib = 1024 ** 3;
const acuGib = 2;

/** Memory of the size `large` by what a class begins with, in GiB; each further size has twice as much. */
const gibOfLarge: Readonly<Record<string, number>> = { r: 16, x: 32, t: 8 };

/**
 * Memory that each instance of a shard may have, in bytes: a serverless one reports as free what it would have at its most capacity. Undefined
 * for what is not known here: adopted clusters, other classes.
 */
export function memoryOf({
  adopt,
  capacity,
  instanceClass,
}: Pick<ShardConfig, 'adopt' | 'capacity' | 'instanceClass'>): number | undefined {
  if (adopt !== undefined) return undefined;
  if (instanceClass === undefined) return capacity.maxAcu * acuGib * gib;
  const [, family = '', size = ''] = /^db[.]([a-z])[^.]*[.](\w+)$/.exec(instanceClass) ?? [];
  const large = gibOfLarge[family];
  if (large === undefined) return undefined;
  if (size === 'medium') return (large / 2) * gib;
  if (size === 'large') return large * gib;
  return large * 2 * Number(/^\d+/.exec(size)?.[0] ?? 1) * gib;
}

/** Says when an instance of a shard has little memory left, by what Aurora reports, where it is known how much there is. */
export function addMemoryAlarms(
  scope: Construct,
  { config }: FunctionSettings,
  shards: readonly Shard[],
  notifications: Notifications,
): void {
  const { memoryPercent } = config.monitoring;
  for (const shard of shards) {
    const described = config.shards.find(({ name }) => name === shard.name);
    const bytes = described && memoryOf(described);
    if (bytes === undefined) continue;
    new Alarm(scope, `Memory-${shard.name}`, {
      name: `database-memory-${shard.name}`,
      description: `An instance of the shard ${shard.name} uses more than ${memoryPercent} % of its memory.`,
      runbook: 'database-memory',
      notifications,
      metric: new cloudwatch.Metric({
        ...{ namespace: 'AWS/RDS', metricName: 'FreeableMemory', statistic: cloudwatch.Stats.MINIMUM },
        dimensionsMap: { DBClusterIdentifier: shard.cluster.clusterIdentifier },
        period: Duration.minutes(5),
      }),
      threshold: Math.round((bytes * (100 - memoryPercent)) / 100),
      comparisonOperator: cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
      ...{ evaluationPeriods: 3, datapointsToAlarm: 2 },
    });
  }
}
