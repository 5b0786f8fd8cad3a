import { Duration } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { Construct } from 'constructs';
import type { Recovery, RecoveryProps } from './recovery.ts';

/** How often leftovers are looked for that an earlier run could not remove. */
const sweepInterval = Duration.hours(1);
/** How often backups are looked for that have become too old. */
const expiryInterval = Duration.hours(1);
/** How soon a new escrow passphrase is in use. */
const escrowInterval = Duration.hours(1);

/** What starts functions by itself: executions that ended badly, and the clock. */
export function addTriggers(
  scope: Construct,
  recovery: Recovery,
  { deadLetters, stateful }: Pick<RecoveryProps, 'deadLetters' | 'stateful'>,
): void {
  const escrow = stateful.escrow !== undefined;
  const { delivery } = deadLetters;

  // Whoever stops an execution, and whatever breaks it: its backup does not stay `running`.
  new events.Rule(scope, 'EndedBadly', {
    description: 'A backup, a verification or a restore failed, timed out or was stopped',
    eventPattern: {
      source: ['aws.states'],
      detailType: ['Step Functions Execution Status Change'],
      detail: {
        status: ['FAILED', 'TIMED_OUT', 'ABORTED'],
        stateMachineArn: [
          recovery.backups.arn,
          recovery.verifications.arn,
          recovery.restores.arn,
          ...recovery.imports.all.map(({ arn }) => arn),
          recovery.pointInTime.workflow.arn,
          recovery.reencryption.workflow.arn,
        ],
      },
    },
    targets: [new LambdaFunction(recovery.functions.conclude.function, delivery)],
  });
  new events.Rule(scope, 'ExpireSchedule', {
    description: 'Mark backups as expired that nothing keeps any more',
    schedule: events.Schedule.rate(expiryInterval),
    targets: [
      new LambdaFunction(recovery.functions.expire.function, {
        ...delivery,
        event: events.RuleTargetInput.fromObject({}),
      }),
    ],
  });
  if (escrow) {
    new events.Rule(scope, 'EscrowSchedule', {
      description: 'Bring an escrow passphrase that was put or changed into use',
      schedule: events.Schedule.rate(escrowInterval),
      targets: [
        new LambdaFunction(recovery.functions['derive-escrow'].function, {
          ...delivery,
          event: events.RuleTargetInput.fromObject({}),
        }),
      ],
    });
  }
  new events.Rule(scope, 'SweepSchedule', {
    description:
      'Finish removing what backups and restores left that were deleted, failed, canceled or have expired',
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
      new LambdaFunction(recovery.functions['discard-point-in-time'].function, {
        ...delivery,
        event: events.RuleTargetInput.fromObject({}),
      }),
    ],
  });
}
