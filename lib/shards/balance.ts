import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as events from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { Construct } from 'constructs';
import type * as z from 'zod';
import type { balanceSchema, countedSchema } from '../../functions/shards/balance/settings.ts';
import { shardsContract } from '../../functions/shards/contract.ts';
import type { DeploymentConfig } from '../config/schema.ts';
import { Alarm } from '../constructs/alarm.ts';
import { capabilityMetric } from '../constructs/capability-metric.ts';
import { BundledFunction } from '../constructs/function.ts';
import { watchFunction } from '../constructs/function-alarms.ts';
import type { ShardsProps } from './shards.ts';

/**
 * Has the shards analyzed by schedule and by request, says when they are uneven, and lets the API say what to move.
 *
 * @param api the function that serves the routes.
 * @returns the function that analyzes.
 */
export function addBalance(scope: Construct, api: BundledFunction, props: ShardsProps): BundledFunction {
  const { settings, stateful, deadLetters, notifications } = props;
  const { config } = settings;
  const analyze = new BundledFunction(scope, 'Analyze', {
    settings,
    contract: shardsContract,
    name: 'analyze',
    description: 'Counts what lies on the shards by slot',
    memoryMiB: 512,
    timeout: Duration.minutes(15),
    network: stateful.network,
    onFailure: deadLetters,
  });
  const { shards: table, recovery } = stateful.tables;
  table.grant(analyze, ['dynamodb:GetItem', 'dynamodb:Query']);
  table.grantItems(analyze, ['dynamodb:PutItem', 'dynamodb:UpdateItem'], ['ANALYSIS*']);
  for (const shard of stateful.shards) shard.grantConnect(analyze, 'stats');
  recovery.grant(api, ['dynamodb:Query']);
  analyze.grantInvoke(api, 'ANALYZE_FUNCTION_ARN');
  const balance = JSON.stringify(balanceOf(config));
  for (const fn of [api, analyze]) fn.addEnvironment('BALANCE', balance);
  analyze.addEnvironment('COUNTED', JSON.stringify(countedOf(config)));

  const { schedule } = config.sharding.balance;
  if (schedule !== null) {
    new events.Rule(scope, 'AnalysisSchedule', {
      description: 'Analyze the shards',
      schedule: events.Schedule.expression(schedule),
      targets: [
        new LambdaFunction(analyze.function, {
          ...deadLetters.delivery,
          event: events.RuleTargetInput.fromObject({}),
        }),
      ],
    });
  }
  watchFunction(analyze, { name: 'analyze', thresholds: config.alarms, notifications });
  addUnevenAlarm(scope, props);
  return analyze;
}

function addUnevenAlarm(
  scope: Construct,
  { settings: { environment, config }, notifications }: ShardsProps,
): void {
  const { threshold, alarmRows } = config.sharding.balance;
  const period = Duration.minutes(5);
  const metric = (name: string) =>
    capabilityMetric(environment, 'shards', name, period, cloudwatch.Stats.MAXIMUM);
  new Alarm(scope, 'Uneven', {
    name: 'shards-uneven',
    description: `The load of the shards is uneven: its coefficient of variation is over ${threshold}.`,
    runbook: 'shards-uneven',
    notifications,
    metric: new cloudwatch.MathExpression({
      expression: `IF(rows >= ${alarmRows}, variance, 0)`,
      label: 'Coefficient of variation of the shards’ load',
      period,
      usingMetrics: { rows: metric('AnalyzedRows'), variance: metric('ShardImbalance') },
    }),
    threshold,
    comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
    // Between two analyses nothing is known, and nothing has changed.
    treatMissingData: cloudwatch.TreatMissingData.IGNORE,
  });
}

/** When shards are uneven, as the functions are told it. */
export function balanceOf({ sharding }: Pick<DeploymentConfig, 'sharding'>): z.input<typeof balanceSchema> {
  const { schedule: _, alarmRows: __, ...balance } = sharding.balance;
  return balance;
}

/** Which tables are counted, as the function is told it; tenants are told apart as for their backups. */
export function countedOf({ sharding, backup }: DeploymentConfig): z.input<typeof countedSchema> {
  const key = backup.tenants?.key;
  const tables = sharding.entities.flatMap((entity) =>
    entity.tables.map(({ table, column }) => ({
      ...{ kind: entity.kind, keyType: entity.keyType, column },
      table: table.includes('.') ? table : `public.${table}`,
    })),
  );
  const named = new Set(tables.map(({ table }) => table));
  return {
    tables,
    ...(key !== undefined && { tenantColumn: key.column }),
    tenantColumns: Object.fromEntries(
      Object.entries(key?.tables ?? {}).filter(([table]) => named.has(table)),
    ),
    pinnedTenants: sharding.pins.map(({ tenant }) => tenant),
  };
}
