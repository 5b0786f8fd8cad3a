import { Duration } from 'aws-cdk-lib';
import { nestedErrors } from '../../functions/recovery/drill/nested-errors.ts';
import {
  BackupNotRunningError,
  DamagedObjectError,
  DrillConflictError,
  DrillNotRunningError,
  DrillSkippedError,
  ManifestError,
  UnknownBackupError,
  UnknownShardError,
} from '../../functions/recovery/errors.ts';
import type { DeploymentConfig } from '../config/schema.ts';
import { catchAll, failAsCaught, invoke, retry, retryTroubleBut } from '../constructs/states.ts';
import type { WorkflowProps } from '../constructs/workflow.ts';
import type { RecoveryFunctions } from './functions.ts';
import { nestedExecution } from './nested-execution.ts';

/** Errors that are the same at the next try. */
const permanentErrors = [
  BackupNotRunningError,
  DamagedObjectError,
  DrillConflictError,
  DrillNotRunningError,
  DrillSkippedError,
  ManifestError,
  UnknownBackupError,
  UnknownShardError,
];
const tries = retryTroubleBut(permanentErrors);

const execution = { 'executionName.$': '$$.Execution.Name', 'input.$': '$$.Execution.Input' };
/** Whatever happens: what was restored is removed before anything else. */
const onError = 'EndWork';

/** Which workflows a drill runs. */
export interface DrillMachines {
  restore: string;
  verification: string;
}

/** A rehearsal: a backup is restored into scratch databases, checked and measured; they are removed whatever comes of it. */
export function drillDefinition(
  functions: RecoveryFunctions,
  config: DeploymentConfig,
  machines: DrillMachines,
): WorkflowProps['definition'] {
  const { timeoutHours, drill, shardConcurrency } = config.backup;
  // A verification and a restore at most, and what lies between them.
  const timeoutSeconds = Duration.hours(2 * timeoutHours + 2).toSeconds();
  const conclude = functions['conclude-drill'];
  const always = [retry(['States.ALL'], 5)];
  return {
    Comment: 'Rehearses a restore. The drill’s id is the execution’s name, or made of it.',
    TimeoutSeconds: timeoutSeconds,
    StartAt: 'PlanDrill',
    States: {
      PlanDrill: invoke(
        functions['plan-drill'],
        {
          ...execution,
          'executionArn.$': '$$.Execution.Id',
          'startedAt.$': '$$.Execution.StartTime',
          timeoutSeconds,
        },
        {
          OutputPath: '$.Payload',
          Retry: tries,
          Catch: [
            { ErrorEquals: [DrillSkippedError.name], ResultPath: null, Next: 'Skipped' },
            ...catchAll(onError),
          ],
          Next: 'VerificationNeeded',
        },
      ),
      // Another one is at work; nothing of this one is noted.
      Skipped: { Type: 'Succeed' },
      VerificationNeeded: {
        Type: 'Choice',
        Choices: [{ Variable: '$.verify', BooleanEquals: true, Next: 'StartVerification' }],
        Default: 'StartRestore',
      },
      ...nestedExecution({
        name: 'Verification',
        stateMachineArn: machines.verification,
        path: '$.verification',
        next: 'RequireIntact',
        onError,
        error: nestedErrors.verification,
      }),
      RequireIntact: invoke(
        conclude,
        { phase: 'verified', 'drillId.$': '$.drillId', 'traceparent.$': '$.traceparent' },
        { ResultPath: null, Retry: tries, Catch: catchAll(onError), Next: 'StartRestore' },
      ),
      ...nestedExecution({
        name: 'Restore',
        stateMachineArn: machines.restore,
        path: '$.restore',
        next: 'Checks',
        onError,
        error: nestedErrors.restore,
      }),
      Checks: {
        Type: 'Map',
        ItemsPath: '$.shards',
        MaxConcurrency: shardConcurrency,
        ItemSelector: {
          'drillId.$': '$.drillId',
          'traceparent.$': '$.traceparent',
          'shard.$': '$$.Map.Item.Value',
        },
        ItemProcessor: {
          ProcessorConfig: { Mode: 'INLINE' },
          StartAt: 'CheckDatabase',
          States: {
            CheckDatabase: invoke(
              functions['check-drill'],
              {
                'drillId.$': '$.drillId',
                'traceparent.$': '$.traceparent',
                'shard.$': '$.shard',
                assertions: drill.assertions,
                accepted: drill.accepted,
                statementTimeoutSeconds: drill.statementTimeoutSeconds,
              },
              {
                ResultSelector: { 'outcome.$': '$.Payload.outcome' },
                ResultPath: '$.check',
                Retry: tries,
                Next: 'Checked',
              },
            ),
            Checked: {
              Type: 'Choice',
              Choices: [{ Variable: '$.check.outcome', StringEquals: 'again', Next: 'CheckDatabase' }],
              Default: 'AllChecked',
            },
            AllChecked: { Type: 'Succeed' },
          },
        },
        ResultPath: null,
        Catch: catchAll(onError),
        Next: onError,
      },
      [onError]: invoke(
        conclude,
        { phase: 'clean', ...execution },
        {
          ResultSelector: { 'drillId.$': '$.Payload.drillId', 'traceparent.$': '$.Payload.traceparent' },
          ResultPath: '$.clean',
          Retry: always,
          Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: null, Next: 'NotRemoved' }],
          Next: 'RemoveDatabases',
        },
      ),
      RemoveDatabases: invoke(
        functions['restore-database'],
        {
          phase: 'discard',
          'restoreId.$': '$.clean.drillId',
          'traceparent.$': '$.clean.traceparent',
        },
        {
          ResultPath: null,
          Retry: always,
          Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: null, Next: 'NotRemoved' }],
          Next: 'Removed',
        },
      ),
      Removed: { Type: 'Pass', Result: true, ResultPath: '$.removed', Next: 'Failed' },
      // The hourly run goes on with it, and its alarm tells.
      NotRemoved: { Type: 'Pass', Result: false, ResultPath: '$.removed', Next: 'Failed' },
      Failed: {
        Type: 'Choice',
        Choices: [{ Variable: '$.error', IsPresent: true, Next: 'ReportFailure' }],
        Default: 'Report',
      },
      Report: invoke(
        conclude,
        { phase: 'conclude', ...execution, 'removed.$': '$.removed' },
        {
          ResultSelector: { 'outcome.$': '$.Payload.outcome' },
          Retry: always,
          Next: 'Passed',
        },
      ),
      Passed: {
        Type: 'Choice',
        Choices: [{ Variable: '$.outcome', StringEquals: 'failed', Next: 'NotPassed' }],
        Default: 'Done',
      },
      Done: { Type: 'Succeed' },
      NotPassed: { Type: 'Fail', Error: 'DrillFailed', Cause: 'The report of the drill says why.' },
      ReportFailure: invoke(
        conclude,
        { phase: 'fail', ...execution, 'removed.$': '$.removed', 'error.$': '$.error' },
        {
          ResultPath: null,
          Retry: always,
          // The rule on executions that ended badly does it then.
          Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: null, Next: 'FailedAsCaught' }],
          Next: 'FailedAsCaught',
        },
      ),
      ...failAsCaught('FailedAsCaught'),
    },
  };
}
