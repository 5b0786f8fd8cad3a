import { Duration } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import { LambdaFunction, SfnStateMachine } from 'aws-cdk-lib/aws-events-targets';
import { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import type { Recovery, RecoveryProps } from './recovery.ts';

/** How often it is looked how long ago the latest drill was. */
export const watchInterval = Duration.hours(1);

/** What starts drills, and what is behind them, by itself. */
export function addDrillTriggers(
  scope: Construct,
  { drills, functions }: Recovery,
  { settings, deadLetters }: RecoveryProps,
): void {
  const { scheduled, schedule, restorePoint } = settings.config.backup.drill;
  const { delivery } = deadLetters;
  const conclude = functions['conclude-drill'].function;

  new events.Rule(scope, 'DrillEndedBadly', {
    description: 'A drill failed, timed out or was stopped',
    eventPattern: {
      source: ['aws.states'],
      detailType: ['Step Functions Execution Status Change'],
      detail: { status: ['FAILED', 'TIMED_OUT', 'ABORTED'], stateMachineArn: [drills.arn] },
    },
    targets: [new LambdaFunction(conclude, delivery)],
  });
  if (!scheduled) return;
  new events.Rule(scope, 'DrillSchedule', {
    description: 'Rehearse a restore',
    schedule: events.Schedule.expression(schedule),
    targets: [
      new SfnStateMachine(StateMachine.fromStateMachineArn(scope, 'ScheduledDrills', drills.arn), {
        ...delivery,
        input: events.RuleTargetInput.fromObject({ restorePoint }),
      }),
    ],
  });
  new events.Rule(scope, 'DrillWatch', {
    description: 'See how long ago the latest drill was',
    schedule: events.Schedule.rate(watchInterval),
    targets: [
      new LambdaFunction(conclude, {
        ...delivery,
        event: events.RuleTargetInput.fromObject({ phase: 'watch' }),
      }),
    ],
  });
}
