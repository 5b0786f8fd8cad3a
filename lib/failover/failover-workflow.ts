import { Aws, Duration } from 'aws-cdk-lib';
import { SupersededError, SwitchoverRefusedError } from '../../functions/failover/errors.ts';
import { catchAll, failAsCaught, invoke, type State, type States } from '../constructs/states.ts';
import type { WorkflowProps } from '../constructs/workflow.ts';
import type { FailoverFunctions } from './functions.ts';

/** How long fencing an old writer may hold a failover up, in seconds; its function needs two, and may have to be started. */
const fenceSeconds = 8;

const context = {
  'shard.$': '$.shard',
  'traceparent.$': '$.traceparent',
  'operation.$': '$.operation',
};

/** What a step meets may be over in a moment, and each moment is one without a writer. */
const soon = (attempts: number): State => ({
  ErrorEquals: ['States.ALL'],
  IntervalSeconds: 1,
  BackoffRate: 1.5,
  MaxAttempts: attempts,
  MaxDelaySeconds: 5,
});
const never: State = {
  ErrorEquals: [SupersededError.name, SwitchoverRefusedError.name, 'InvalidEvent'],
  MaxAttempts: 0,
};
/** How the old writer was fenced, for what follows. */
const fenced = { ResultSelector: { 'fenced.$': '$.Payload.fenced' }, ResultPath: '$.fence' };
/** How often it is looked whether an old writer has come back, a second apart. */
const mostTries = 600;
const tries = { Variable: '$.tries.count', IsPresent: true };
const rds = (call: string) => `arn:${Aws.PARTITION}:states:::aws-sdk:rds:${call}`;

/**
 * Replaces the writer of a shard, as it was decided. Every step comes to the same when it is done again, and does nothing
 * for an operation that is not the shard's present one. What RDS answers does not end it: whether there is a new writer is
 * what Confirm finds out.
 */
export function failoverDefinition(functions: FailoverFunctions): WorkflowProps['definition'] {
  const { operate } = functions;
  const kindIs = (kind: string) => ({ Variable: '$.operation.kind', StringEquals: kind });
  const actionIs = (action: string) => ({ Variable: '$.operation.action', StringEquals: action });
  const confirm = (more: State): State =>
    invoke(
      operate,
      { phase: 'confirm', ...context, ...more },
      { ResultPath: null, Retry: [never, soon(4)], Catch: catchAll('ConcludeFailed'), Next: 'Conclude' },
    );
  const conclude = (more: State, then: string): State =>
    invoke(
      functions['conclude-failover'],
      { 'shard.$': '$.shard', 'traceparent.$': '$.traceparent', 'name.$': '$$.Execution.Name', ...more },
      // Where this fails, the rule on ended executions and the watchdog do it.
      { ResultPath: null, Retry: [soon(5)], Next: then },
    );
  return {
    Comment: 'Replaces the writer of a shard. The execution’s name is shard, epoch and attempt.',
    TimeoutSeconds: Duration.minutes(60).toSeconds(),
    StartAt: 'ChooseKind',
    States: {
      ChooseKind: {
        Type: 'Choice',
        Choices: [{ ...kindIs('switchover'), Next: 'FenceAndWait' }],
        Default: 'Fence',
      },
      Fence: invoke(
        operate,
        { phase: 'fence', ...context },
        {
          TimeoutSeconds: fenceSeconds,
          ...fenced,
          Catch: [
            { ErrorEquals: [SupersededError.name], ResultPath: '$.error', Next: 'ConcludeFailed' },
            // It is the best that can be done: the shard map and the watchdog keep the old writer out as well.
            { ErrorEquals: ['States.ALL'], ResultPath: null, Next: 'ChooseAction' },
          ],
          Next: 'ChooseAction',
        },
      ),
      FenceAndWait: invoke(
        operate,
        { phase: 'fence', ...context },
        {
          ...fenced,
          Retry: [never, soon(1)],
          Catch: catchAll('ConcludeFailed'),
          Next: 'ChooseAction',
        },
      ),
      ChooseAction: {
        Type: 'Choice',
        Choices: [
          { Variable: '$.operation.moved', IsPresent: true, Next: 'Confirm' },
          { ...actionIs('replica'), Next: 'Promote' },
          { And: [actionIs('global'), kindIs('switchover')], Next: 'SwitchGlobalClusterOver' },
          { ...actionIs('global'), Next: 'FailGlobalClusterOver' },
        ],
        Default: 'FailClusterOver',
      },
      Promote: invoke(
        operate,
        { phase: 'promote', ...context },
        {
          ResultSelector: { 'promotedAt.$': '$.Payload.promotedAt' },
          ResultPath: '$.promoted',
          Retry: [never, soon(4)],
          Catch: catchAll('ConcludeFailed'),
          Next: 'ConfirmPromoted',
        },
      ),
      ConfirmPromoted: confirm({ 'promotedAt.$': '$.promoted.promotedAt' }),
      FailClusterOver: rdsCall('failoverDBCluster', {
        'DbClusterIdentifier.$': '$.operation.clusterIdentifier',
        'TargetDBInstanceIdentifier.$': '$.operation.target.instance',
      }),
      FailGlobalClusterOver: rdsCall('failoverGlobalCluster', {
        'GlobalClusterIdentifier.$': '$.operation.globalClusterIdentifier',
        'TargetDbClusterIdentifier.$': '$.operation.target.instance',
        AllowDataLoss: true,
      }),
      SwitchGlobalClusterOver: rdsCall('failoverGlobalCluster', {
        'GlobalClusterIdentifier.$': '$.operation.globalClusterIdentifier',
        'TargetDbClusterIdentifier.$': '$.operation.target.instance',
        Switchover: true,
      }),
      Confirm: confirm({}),
      Conclude: conclude({}, 'OldWriterFenced'),
      ...fenceOld(functions),
      ConcludeFailed: {
        ...conclude({ 'error.$': '$.error' }, 'Failed'),
        Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: null, Next: 'Failed' }],
      },
      ...failAsCaught('Failed'),
    },
  };
}

/**
 * States that wait for an old writer that could not be fenced and may come back, from `OldWriterFenced` on: it would take writes again.
 * The failover is concluded by then; after ten to thirty minutes the watchdog does it, every minute.
 */
function fenceOld({ operate }: FailoverFunctions): States {
  const is = (fence: string) => ({ Variable: '$.fence.fenced', StringEquals: fence });
  const known = { Variable: '$.fence.fenced', IsPresent: true };
  return {
    OldWriterFenced: {
      Type: 'Choice',
      Choices: [
        { Not: { Variable: '$.operation.action', StringEquals: 'replica' }, Next: 'Done' },
        { And: [known, { Or: [is('fenced'), is('standby'), is('superseded')] }], Next: 'Done' },
        { And: [tries, { Variable: '$.tries.count', NumericGreaterThanEquals: mostTries }], Next: 'Done' },
        { ...tries, Next: 'CountTry' },
      ],
      Default: 'FirstTry',
    },
    FirstTry: { Type: 'Pass', Result: { count: 0 }, ResultPath: '$.tries', Next: 'WaitForOldWriter' },
    CountTry: {
      Type: 'Pass',
      Parameters: { 'count.$': 'States.MathAdd($.tries.count, 1)' },
      ResultPath: '$.tries',
      Next: 'WaitForOldWriter',
    },
    WaitForOldWriter: { Type: 'Wait', Seconds: 1, Next: 'FenceOldWriter' },
    FenceOldWriter: invoke(
      operate,
      { phase: 'fence-old', ...context },
      {
        ...fenced,
        Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: null, Next: 'OldWriterFenced' }],
        Next: 'OldWriterFenced',
      },
    ),
    Done: { Type: 'Succeed' },
  };
}

function rdsCall(call: string, parameters: State): State {
  return {
    Type: 'Task',
    Resource: rds(call),
    Parameters: parameters,
    ResultPath: null,
    TimeoutSeconds: 60,
    Retry: [soon(3)],
    Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: null, Next: 'Confirm' }],
    Next: 'Confirm',
  };
}
