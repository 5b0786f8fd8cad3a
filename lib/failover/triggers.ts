import * as events from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { Construct } from 'constructs';
import type { Workflow } from '../constructs/workflow.ts';
import type { FailoverProps } from './failover.ts';
import type { FailoverFunctions } from './functions.ts';

/**
 * What starts the functions that decide and conclude beside alarms: the clock, and executions that ended badly.
 *
 * @returns the schedule of the watchdog.
 */
export function addTriggers(
  scope: Construct,
  functions: FailoverFunctions,
  workflow: Workflow,
  { deadLetters: { delivery } }: Pick<FailoverProps, 'deadLetters'>,
): events.Rule {
  new events.Rule(scope, 'EndedBadly', {
    description: 'A failover failed, timed out or was stopped',
    eventPattern: {
      source: ['aws.states'],
      detailType: ['Step Functions Execution Status Change'],
      detail: { status: ['FAILED', 'TIMED_OUT', 'ABORTED'], stateMachineArn: [workflow.arn] },
    },
    targets: [new LambdaFunction(functions['conclude-failover'].function, delivery)],
  });
  return new events.Rule(scope, 'WatchdogSchedule', {
    description: 'Look after failovers that are unfinished and shards that are not well',
    schedule: events.Schedule.expression('cron(* * * * ? *)'),
    targets: [
      new LambdaFunction(functions.failover.function, {
        ...delivery,
        event: events.RuleTargetInput.fromObject({ watchdog: true }),
      }),
    ],
  });
}
