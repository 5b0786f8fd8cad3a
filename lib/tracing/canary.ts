import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as events from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { Construct } from 'constructs';
import { tracingContract } from '../../functions/tracing/contract.ts';
import { Alarm } from '../constructs/alarm.ts';
import { capabilityMetric } from '../constructs/capability-metric.ts';
import { BundledFunction } from '../constructs/function.ts';
import { addLimits } from './limits.ts';
import type { TracingProps } from './tracing.ts';

/** What writes a trace now and then and looks for it, and says when traces get lost or come late. */
export function addCanary(
  scope: Construct,
  { settings, stateful, deadLetters, notifications }: TracingProps,
): void {
  const { environment, config } = settings;
  const { enabled, everyMinutes, lateMs } = config.tracing.canary;
  const every = Duration.minutes(everyMinutes);
  const fn = new BundledFunction(scope, 'Canary', {
    settings,
    contract: tracingContract,
    name: 'canary',
    description: 'Writes a trace and looks whether it is found',
    memoryMiB: 512,
    timeout: Duration.seconds(50),
  });
  stateful.tables.tracing.grant(fn, [
    'dynamodb:BatchWriteItem',
    'dynamodb:GetItem',
    'dynamodb:PutItem',
    'dynamodb:Query',
  ]);
  fn.addEnvironment('TRACING_RETENTION_DAYS', String(config.tracing.retentionDays));
  addLimits(fn, settings);
  const schedule = new events.Rule(scope, 'CanarySchedule', {
    description: 'Write a trace and look whether it is found',
    enabled,
    schedule: events.Schedule.rate(every),
    targets: [
      new LambdaFunction(fn.function, {
        ...deadLetters.delivery,
        event: events.RuleTargetInput.fromObject({}),
      }),
    ],
  });
  if (!enabled) return;

  const metric = (name: string) =>
    capabilityMetric(environment, 'tracing', name, every, cloudwatch.Stats.MAXIMUM);
  // A run falls into the period before or after its own now and then: one that is missing says nothing.
  const twice = { evaluationPeriods: 3, datapointsToAlarm: 2 };
  const { alarm: lost } = new Alarm(scope, 'Lost', {
    name: 'traces-lost',
    description: 'Traces that were acknowledged are not found again, or nobody looks whether they are.',
    runbook: 'traces-lost',
    notifications,
    metric: metric('CanaryLost'),
    ...twice,
    treatMissingData: cloudwatch.TreatMissingData.BREACHING,
  });
  lost.node.addDependency(schedule);
  new Alarm(scope, 'Late', {
    name: 'traces-late',
    description: `Traces are found more than ${lateMs} ms after they were sent.`,
    runbook: 'traces-late',
    notifications,
    metric: metric('CanaryDelayMs'),
    threshold: lateMs,
    comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
    ...twice,
  });
}
