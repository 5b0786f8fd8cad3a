import { Duration } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { CfnEventInvokeConfig } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { acknowledge } from '../constructs/acknowledge.ts';
import type { BundledFunction } from '../constructs/function.ts';
import type { FailoverProps } from './failover.ts';

/**
 * Has the shards probed every minute, and lets the function do that and nothing more.
 *
 * @returns the schedule; nothing where the deployment does not want probes.
 */
export function addProbe(
  scope: Construct,
  probe: BundledFunction,
  { settings, stateful, deadLetters }: FailoverProps,
): events.Rule | undefined {
  const { enabled, probeIntervalSeconds, probeTimeoutMs } = settings.config.failover;
  stateful.tables.shards.grant(probe, ['dynamodb:Query']);
  stateful.tables.shards.grantItems(probe, ['dynamodb:PutItem'], ['PROBE']);
  for (const shard of stateful.shards) shard.grantConnect(probe, 'probe');
  probe.addEnvironment('PROBE_INTERVAL_SECONDS', String(probeIntervalSeconds));
  probe.addEnvironment('PROBE_TIMEOUT_MS', String(probeTimeoutMs));

  if (!enabled) return undefined;
  // A minute that has passed is not worth probing: the next has begun.
  const invocations = new CfnEventInvokeConfig(scope, 'ProbeInvocations', {
    functionName: probe.function.functionName,
    qualifier: '$LATEST',
    maximumRetryAttempts: 0,
    maximumEventAgeInSeconds: Duration.minutes(1).toSeconds(),
  });
  acknowledge(invocations, {
    'Serverless-LambdaAsyncFailureDestination':
      'An event of the schedule holds nothing that could be lost, and a minute later there is the next. That a probe failed is told by its metrics, which then are missing.',
  });
  return new events.Rule(scope, 'ProbeSchedule', {
    description: 'Probe the shards',
    // Once in each minute of the clock: a rate begins somewhere within it, and may slip from one into the next.
    schedule: events.Schedule.expression('cron(* * * * ? *)'),
    targets: [
      new LambdaFunction(probe.function, {
        ...deadLetters.delivery,
        event: events.RuleTargetInput.fromObject({}),
      }),
    ],
  });
}
