import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import type { FunctionSettings } from '../constructs/function.ts';
import type { HttpApi } from '../constructs/http-api.ts';
import type { Failover } from '../failover/failover.ts';
import { failoverMetric, type ShardMetric, shardMetric } from '../failover/metrics.ts';
import { recoveryMetric } from '../recovery/metrics.ts';
import type { Recovery } from '../recovery/recovery.ts';
import type { StatefulStack } from '../stateful-stack.ts';
import { capabilityWidgets } from './capability-widgets.ts';
import { graph, ofShards, period } from './graphs.ts';
import { shardRows } from './shard-rows.ts';

export interface DashboardProps {
  settings: FunctionSettings;
  stateful: StatefulStack;
  api: HttpApi;
  recovery: Recovery;
  failover: Failover;
}

/** The state of a deployment on one page: alarms, API, backups, functions, databases. */
export class Dashboard extends Construct {
  constructor(scope: Construct, id: string, { settings, stateful, api, recovery, failover }: DashboardProps) {
    super(scope, id);
    const { environment } = settings;
    const dashboard = new cloudwatch.Dashboard(this, 'Dashboard', {
      dashboardName: `mainstay-${environment}`,
      defaultInterval: Duration.days(1),
    });
    dashboard.addWidgets(
      graph(
        'API requests',
        [api.api.metricCount({ period })],
        [
          api.api.metricClientError({ period, label: '4xx' }),
          api.api.metricServerError({ period, label: '5xx' }),
        ],
      ),
      graph('API latency', [
        api.api.metricLatency({ period, statistic: 'p50', label: 'p50' }),
        api.api.metricLatency({ period, statistic: 'p95', label: 'p95' }),
        api.api.metricLatency({ period, statistic: 'p99', label: 'p99' }),
      ]),
      graph('Backups', [
        recoveryMetric(environment, 'BackupsCompleted', Duration.hours(1)),
        recoveryMetric(environment, 'BackupsFailed', Duration.hours(1)),
      ]),
    );
    dashboard.addWidgets(
      graph('Duration of backups (ms)', [
        recoveryMetric(environment, 'BackupDurationMs', Duration.hours(1), 'Maximum'),
      ]),
      graph('Bytes stored by backups', [recoveryMetric(environment, 'BackupBytes', Duration.hours(1))]),
      graph('Damaged objects found', [
        recoveryMetric(environment, 'VerificationFindings', Duration.hours(1)),
      ]),
    );
    const { drill } = settings.config.backup;
    dashboard.addWidgets(
      graph(
        'Drills: measured RPO (minutes)',
        [minutesOf(recoveryMetric(environment, 'DrillRpoSeconds', Duration.hours(1), Stats.MAXIMUM), 'RPO')],
        [],
        [{ value: drill.rpoMinutes, label: 'target' }],
      ),
      graph(
        'Drills: measured RTO (minutes)',
        [minutesOf(recoveryMetric(environment, 'DrillRtoSeconds', Duration.hours(1), Stats.MAXIMUM), 'RTO')],
        [],
        [{ value: drill.rtoMinutes, label: 'target' }],
      ),
      new cloudwatch.SingleValueWidget({
        title: 'Drills: the latest, and how they ended in a week',
        metrics: [
          ...(drill.scheduled
            ? [
                recoveryMetric(environment, 'HoursSinceDrill', Duration.hours(1), Stats.MAXIMUM).with({
                  label: 'hours since the latest that passed',
                }),
              ]
            : []),
          recoveryMetric(environment, 'DrillsCompleted', Duration.days(7)).with({ label: 'passed' }),
          recoveryMetric(environment, 'DrillsFailed', Duration.days(7)).with({ label: 'failed' }),
        ],
        width: 8,
        height: 6,
      }),
    );
    const functions = Object.entries(recovery.functions);
    dashboard.addWidgets(
      graph(
        'Recovery: errors of functions',
        functions.map(([label, fn]) => fn.function.metricErrors({ period, label })),
      ),
      graph(
        'Recovery: throttled starts',
        functions.map(([label, fn]) => fn.function.metricThrottles({ period, label })),
      ),
      graph(
        'Recovery: duration of functions',
        functions.map(([label, fn]) => fn.function.metricDuration({ period, label, statistic: 'Maximum' })),
      ),
    );
    const ofFailover = Object.entries(failover.functions);
    const probed = (name: ShardMetric, statistic: string) =>
      stateful.shards.map((shard) =>
        shardMetric(environment, name, shard.name, period, statistic).with({ label: shard.name }),
      );
    dashboard.addWidgets(
      graph(
        'Probes of writers: failed, and their duration (ms)',
        probed('WriterProbeFailed', 'Sum'),
        probed('WriterProbeLatency', 'Maximum'),
      ),
      graph('Readers: behind (bytes), unreachable', probed('ReplicaLagBytes', 'Maximum'), [
        failoverMetric(environment, 'ReadersUnreachable', period, 'Maximum'),
      ]),
      graph(
        'Failover: errors of functions',
        ofFailover.map(([label, fn]) => fn.function.metricErrors({ period, label })),
      ),
    );
    dashboard.addWidgets(
      graph(
        'Capacity of databases (ACU)',
        ofShards(stateful.shards, 'ServerlessDatabaseCapacity', 'Average'),
      ),
      graph('Connections', ofShards(stateful.shards, 'DatabaseConnections', 'Maximum')),
      graph('Replica lag (ms)', ofShards(stateful.shards, 'AuroraReplicaLagMaximum', 'Maximum')),
    );
    for (const row of shardRows(settings, stateful.shards)) dashboard.addWidgets(...row);
    for (const row of capabilityWidgets(environment)) dashboard.addWidgets(...row);
  }
}

/** A metric of seconds, in minutes. */
const minutesOf = (seconds: cloudwatch.IMetric, label: string): cloudwatch.MathExpression =>
  new cloudwatch.MathExpression({
    expression: 's / 60',
    usingMetrics: { s: seconds },
    label,
    period: Duration.hours(1),
  });
