import { Duration } from 'aws-cdk-lib';
import type * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { HealthMetric } from '../../functions/shards/health/health-metrics.ts';
import { capabilityMetric } from '../constructs/capability-metric.ts';
import type { FunctionSettings } from '../constructs/function.ts';
import type { Shard } from '../stateful/shard.ts';
import { graph, ofShards } from './graphs.ts';

/** Rows of the dashboard: how each shard stands, by what the schedule of its health publishes and Aurora says, and how even they are. */
export function shardRows(
  { environment, config }: Pick<FunctionSettings, 'environment' | 'config'>,
  shards: readonly Shard[],
): cloudwatch.IWidget[][] {
  const { health, sharding } = config;
  const period = Duration.minutes(health.intervalMinutes);
  const looked = (name: ShardFigure, statistic: string = Stats.MAXIMUM) =>
    shards.map((shard) =>
      capabilityMetric(environment, 'shards', name, period, statistic).with({
        dimensionsMap: { service: 'shards', shard: shard.name },
        label: shard.name,
      }),
    );
  const percent = (share: number) => Math.round(share * 100);
  const scheduled = [
    [
      graph('Shards: instances that do not do their part', looked('InstancesUnhealthy')),
      graph(
        'Shards: connections taken (% of the fullest instance)',
        looked('ConnectionsUsedPercent'),
        [],
        [{ value: percent(health.connectionsShare), label: 'alarm' }],
      ),
      graph('Shards: statements that waited for locks, long transactions', looked('BlockedQueries'), [
        ...looked('LongTransactions'),
      ]),
    ],
    [
      graph('Shards: slow statements', looked('SlowQueries', Stats.SUM)),
      graph('Shards: a query of the writer (ms)', looked('WriterQueryMs')),
      graph(
        'Shards: transaction ids used up (%)',
        looked('WraparoundPercent'),
        [],
        [{ value: percent(health.wraparoundShare), label: 'alarm' }],
      ),
    ],
  ];
  const imbalance = capabilityMetric(
    environment,
    'shards',
    'ShardImbalance',
    Duration.hours(1),
    Stats.MAXIMUM,
  );
  return [
    ...(health.scheduled ? scheduled : []),
    [
      graph(
        'Shards: variance of their load',
        [imbalance.with({ label: 'coefficient of variation' })],
        [],
        [{ value: sharding.balance.threshold, label: 'alarm' }],
      ),
      graph(
        'Shards: bytes of storage, and of the database',
        ofShards(shards, 'VolumeBytesUsed', Stats.MAXIMUM),
        health.scheduled ? looked('DatabaseSizeBytes') : [],
      ),
      graph(
        'Shards: bytes free of local storage, and of memory',
        ofShards(shards, 'FreeLocalStorage', Stats.MINIMUM),
        ofShards(shards, 'FreeableMemory', Stats.MINIMUM),
      ),
    ],
  ];
}

/** What the schedule publishes of each shard. */
type ShardFigure = HealthMetric | 'SlowQueries' | 'WriterQueryMs' | 'DatabaseSizeBytes';
