import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import type { FunctionSettings } from '../constructs/function.ts';
import type { HttpApi } from '../constructs/http-api.ts';
import { recoveryMetric } from '../recovery/metrics.ts';
import type { Recovery } from '../recovery/recovery.ts';
import type { Shard } from '../stateful/shard.ts';
import type { StatefulStack } from '../stateful-stack.ts';

export interface DashboardProps {
  settings: FunctionSettings;
  stateful: StatefulStack;
  api: HttpApi;
  recovery: Recovery;
}

const period = Duration.minutes(5);

/** The state of a deployment on one page: alarms, API, backups, functions, databases. */
export class Dashboard extends Construct {
  constructor(scope: Construct, id: string, { settings, stateful, api, recovery }: DashboardProps) {
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
    dashboard.addWidgets(
      graph(
        'Capacity of databases (ACU)',
        ofShards(stateful.shards, 'ServerlessDatabaseCapacity', 'Average'),
      ),
      graph('Connections', ofShards(stateful.shards, 'DatabaseConnections', 'Maximum')),
      graph('Replica lag (ms)', ofShards(stateful.shards, 'AuroraReplicaLagMaximum', 'Maximum')),
    );
  }
}

function graph(
  title: string,
  left: cloudwatch.IMetric[],
  right: cloudwatch.IMetric[] = [],
): cloudwatch.GraphWidget {
  return new cloudwatch.GraphWidget({ title, left, right, width: 8, height: 6 });
}

function ofShards(shards: readonly Shard[], metricName: string, statistic: string): cloudwatch.Metric[] {
  return shards.map(
    (shard) =>
      new cloudwatch.Metric({
        namespace: 'AWS/RDS',
        metricName,
        dimensionsMap: { DBClusterIdentifier: shard.cluster.clusterIdentifier },
        statistic,
        period,
        label: shard.name,
      }),
  );
}
