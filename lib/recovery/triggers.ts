import { Duration } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { Construct } from 'constructs';
import type { DeadLetters } from '../constructs/dead-letters.ts';
import type { Recovery } from './recovery.ts';

/** How often leftovers are looked for that an earlier run could not remove. */
const sweepInterval = Duration.hours(1);

/** What starts functions by itself: executions that ended badly, and the clock. */
export function addTriggers(scope: Construct, recovery: Recovery, deadLetters: DeadLetters): void {
  const { delivery } = deadLetters;

  // Whoever stops an execution, and whatever breaks it: its backup does not stay `running`.
  new events.Rule(scope, 'EndedBadly', {
    description: 'A backup, a verification or a restore failed, timed out or was stopped',
    eventPattern: {
      source: ['aws.states'],
      detailType: ['Step Functions Execution Status Change'],
      detail: {
        status: ['FAILED', 'TIMED_OUT', 'ABORTED'],
        stateMachineArn: [recovery.backups.arn, recovery.verifications.arn, recovery.restores.arn],
      },
    },
    targets: [new LambdaFunction(recovery.functions.conclude.function, delivery)],
  });
  new events.Rule(scope, 'SweepSchedule', {
    description: 'Finish removing what backups and restores left that were deleted, failed or canceled',
    schedule: events.Schedule.rate(sweepInterval),
    targets: [
      new LambdaFunction(recovery.functions.sweep.function, {
        ...delivery,
        event: events.RuleTargetInput.fromObject({}),
      }),
      new LambdaFunction(recovery.functions['restore-database'].function, {
        ...delivery,
        event: events.RuleTargetInput.fromObject({ phase: 'discard' }),
      }),
    ],
  });
}
