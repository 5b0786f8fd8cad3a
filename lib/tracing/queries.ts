import { Duration } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { Construct } from 'constructs';
import { tracingContract } from '../../functions/tracing/contract.ts';
import { compactEveryMinutes } from '../../functions/tracing/stats/compact.ts';
import { BundledFunction } from '../constructs/function.ts';
import type { TracingProps } from './tracing.ts';

/** What shows, searches and counts traces; and what keeps counts few. */
export function addQueries(
  scope: Construct,
  { settings, stateful, api, access, deadLetters }: TracingProps,
): void {
  const apiFunction = new BundledFunction(scope, 'Api', {
    settings,
    contract: tracingContract,
    name: 'api',
    description: 'Shows and searches traces',
    // One whole CPU: a search unpacks blocks and looks at each span.
    memoryMiB: 1_769,
    timeout: Duration.seconds(28),
  });
  access.grantGate(apiFunction);
  stateful.tables.tracing.grant(apiFunction, ['dynamodb:Query']);
  api.addRoutes(tracingContract, apiFunction);

  const compactFunction = new BundledFunction(scope, 'CompactStats', {
    settings,
    contract: tracingContract,
    name: 'compact-stats',
    description: 'Puts one item in the place of many statistics of spans',
    memoryMiB: 1_024,
    timeout: Duration.minutes(2),
  });
  stateful.tables.tracing.grant(compactFunction, [
    'dynamodb:Query',
    'dynamodb:PutItem',
    'dynamodb:BatchWriteItem',
  ]);
  compactFunction.addEnvironment('TRACING_RETENTION_DAYS', String(settings.config.tracing.retentionDays));
  new events.Rule(scope, 'CompactSchedule', {
    description: 'Compact statistics of spans',
    schedule: events.Schedule.rate(Duration.minutes(compactEveryMinutes)),
    targets: [
      new LambdaFunction(compactFunction.function, {
        ...deadLetters.delivery,
        event: events.RuleTargetInput.fromObject({}),
      }),
    ],
  });
}
