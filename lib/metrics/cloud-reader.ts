import { ArnFormat, Duration, Stack } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { Construct } from 'constructs';
import type * as z from 'zod';
import type { sourcesSchema } from '../../functions/metrics/cloud/sources.ts';
import { metricsContract } from '../../functions/metrics/contract.ts';
import { acknowledge } from '../constructs/acknowledge.ts';
import { BundledFunction, metricsNamespace } from '../constructs/function.ts';
import { watchFunction } from '../constructs/function-alarms.ts';
import { Table } from '../constructs/table.ts';
import type { MetricsProps } from './metrics.ts';

/** Has what only CloudWatch has read for Prometheus, by schedule: of the capabilities, tables, workflows, queues and clusters. */
export function addCloudReader(scope: Construct, props: MetricsProps): void {
  const { settings, stateful, deadLetters, notifications } = props;
  const { config } = settings;
  const fn = new BundledFunction(scope, 'ReadCloud', {
    settings,
    contract: metricsContract,
    name: 'read-cloud',
    description: 'Reads what only CloudWatch has',
    memoryMiB: 256,
    timeout: Duration.seconds(55),
    onFailure: deadLetters,
  });
  stateful.tables.monitoring.grantItems(fn, ['dynamodb:GetItem', 'dynamodb:PutItem'], ['CLOUD', 'ASKED']);
  stateful.tables.shards.grant(fn, ['dynamodb:Query']);
  fn.allow(['cloudwatch:GetMetricData'], ['*']);
  const reason = 'GetMetricData has no resource level.';
  acknowledge(fn.policies, {
    'AwsSolutions-IAM5[Resource::*]': reason,
    'Serverless-LambdaStarPermissions': reason,
  });
  fn.addEnvironment('SOURCES', Stack.of(scope).toJsonString(sourcesOf(scope, props)));
  new events.Rule(scope, 'ReadCloudSchedule', {
    description: 'Reads what only CloudWatch has',
    schedule: events.Schedule.rate(Duration.minutes(config.monitoring.cloudWatchMinutes)),
    targets: [
      new LambdaFunction(fn.function, {
        event: events.RuleTargetInput.fromObject({}),
        ...deadLetters.delivery,
      }),
    ],
  });
  watchFunction(fn, { name: 'read-cloud', thresholds: config.alarms, notifications });
}

function sourcesOf(scope: Construct, props: MetricsProps): z.input<typeof sourcesSchema> {
  const { settings, stateful, api, deadLetters, workflows } = props;
  const tables = Object.entries(stateful.tables).flatMap(([name, table]) =>
    table instanceof Table ? [[name, table.tableName] as const] : [],
  );
  return {
    namespace: metricsNamespace(settings.environment),
    api: api.api.apiId,
    deadLetters: deadLetters.queue.queueName,
    tables: Object.fromEntries(tables),
    workflowsOf: Stack.of(scope).formatArn({
      ...{ service: 'states', resource: 'stateMachine', resourceName: '' },
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    }),
    workflows: Object.fromEntries(workflows.map(({ called, name }) => [called, name])),
  };
}
