import { Aws, Duration } from 'aws-cdk-lib';
import {
  DamagedObjectError,
  IncompleteBackupError,
  ManifestError,
  RestoreConflictError,
  RestoreDdlError,
  RestoreNotRunningError,
} from '../../functions/recovery/errors.ts';
import type { DeploymentConfig } from '../config/schema.ts';
import {
  catchAll,
  distributedMap,
  failAsCaught,
  invoke,
  retry,
  retryAllBut,
  retryTrouble,
  retryTroubleBut,
  type States,
} from '../constructs/states.ts';
import type { WorkflowProps } from '../constructs/workflow.ts';
import { concludeState } from './conclude-state.ts';
import type { RecoveryFunctions } from './functions.ts';
import { componentStates } from './restore-components.ts';

/** Errors that are the same at the next try. */
const permanentErrors = [
  DamagedObjectError,
  IncompleteBackupError,
  ManifestError,
  RestoreConflictError,
  RestoreDdlError,
  RestoreNotRunningError,
];
const retryRows = retryAllBut(permanentErrors);

const context = {
  'restoreId.$': '$.restoreId',
  'backupId.$': '$.backupId',
  'traceparent.$': '$.traceparent',
  'dryRun.$': '$.dryRun',
};
const shardContext = { ...context, 'shard.$': '$.shard' };

/** How often it is asked whether the safety backup has ended. */
const safetyPollSeconds = 5;

/** Restores a backup: new databases are made, filled, compared with the manifest, and only then swapped in. */
export function restoreDefinition(
  functions: RecoveryFunctions,
  config: DeploymentConfig,
  backupStateMachineArn: string,
): WorkflowProps['definition'] {
  const database = functions['restore-database'];
  const conclude = (phase: 'judge' | 'complete') => ({
    phase,
    ...context,
    'mode.$': '$.mode',
    'shards.$': '$.shards',
  });
  return {
    Comment: 'Restores a backup into new databases. The input names the restore.',
    TimeoutSeconds: Duration.hours(config.backup.timeoutHours).toSeconds(),
    StartAt: 'PlanRestore',
    States: {
      PlanRestore: invoke(
        functions['plan-restore'],
        { 'executionArn.$': '$$.Execution.Id', 'input.$': '$$.Execution.Input' },
        { OutputPath: '$.Payload', Retry: [retryTrouble], Catch: catchAll('Conclude'), Next: 'SafetyNeeded' },
      ),
      SafetyNeeded: {
        Type: 'Choice',
        Choices: [
          {
            And: [
              { Variable: '$.mode', StringEquals: 'replace' },
              { Variable: '$.dryRun', BooleanEquals: false },
            ],
            Next: 'StartSafetyBackup',
          },
        ],
        Default: 'Shards',
      },
      ...safetyStates(backupStateMachineArn),
      Shards: {
        Type: 'Map',
        ItemsPath: '$.shards',
        MaxConcurrency: config.backup.shardConcurrency,
        ItemSelector: { ...context, 'bucket.$': '$.bucket', 'shard.$': '$$.Map.Item.Value' },
        ItemProcessor: {
          ProcessorConfig: { Mode: 'INLINE' },
          StartAt: 'PrepareDatabase',
          States: shardStates(functions, config),
        },
        ResultPath: null,
        Catch: catchAll('Conclude'),
        Next: 'OnlyLooked',
      },
      OnlyLooked: {
        Type: 'Choice',
        Choices: [{ Variable: '$.dryRun', BooleanEquals: true, Next: 'FilesWanted' }],
        Default: 'JudgeRestore',
      },
      JudgeRestore: invoke(functions['conclude-restore'], conclude('judge'), {
        ResultPath: null,
        Retry: [retryTrouble],
        Catch: catchAll('Conclude'),
        Next: 'FilesWanted',
      }),
      // After the databases are proved, and before one of them is swapped.
      ...componentStates(functions, config, 'SwapNeeded'),
      SwapNeeded: {
        Type: 'Choice',
        Choices: [
          {
            And: [
              { Variable: '$.mode', StringEquals: 'replace' },
              { Variable: '$.dryRun', BooleanEquals: false },
            ],
            Next: 'SwapDatabases',
          },
        ],
        Default: 'CompleteRestore',
      },
      SwapDatabases: {
        Type: 'Map',
        ItemsPath: '$.shards',
        // What goes wrong with the first leaves the others as they are.
        MaxConcurrency: 1,
        ItemSelector: { ...context, 'shard.$': '$$.Map.Item.Value' },
        ItemProcessor: {
          ProcessorConfig: { Mode: 'INLINE' },
          StartAt: 'SwapDatabase',
          States: {
            SwapDatabase: invoke(
              database,
              { phase: 'swap', ...shardContext },
              { OutputPath: '$.Payload', Retry: retryTroubleBut(permanentErrors), End: true },
            ),
          },
        },
        ResultPath: null,
        Catch: catchAll('Conclude'),
        Next: 'CompleteRestore',
      },
      CompleteRestore: invoke(functions['conclude-restore'], conclude('complete'), {
        OutputPath: '$.Payload',
        Retry: [retryTrouble],
        Catch: catchAll('Conclude'),
        End: true,
      }),
      Conclude: concludeState(functions),
      ...failAsCaught('Failed'),
    },
  };
}

/** One shard: its database, its rows, what comes after the rows, and all rows read again. */
function shardStates(functions: RecoveryFunctions, config: DeploymentConfig): States {
  const database = functions['restore-database'];
  const rows = functions['restore-rows'];
  const outcome = {
    ResultSelector: { 'outcome.$': '$.Payload.outcome' },
    ResultPath: '$.database',
  };
  const retryDatabase = retryTroubleBut(permanentErrors);
  const rowsMap = (
    label: string,
    phase: 'load' | 'compare',
    key: string,
    next: { Next: string } | { End: true },
  ) =>
    distributedMap(
      {
        label,
        bucket: '$.bucket',
        key,
        maxConcurrency: config.backup.chunkConcurrency,
        itemSelector: { phase, ...shardContext, 'work.$': '$$.Map.Item.Value' },
        startAt: `${label}Item`,
        states: {
          [`${label}Item`]: invoke(rows, '$', { OutputPath: null, Retry: retryRows, End: true }),
        },
      },
      next,
    );
  return {
    PrepareDatabase: invoke(
      database,
      { phase: 'prepare', ...shardContext },
      { ...outcome, Retry: retryDatabase, Next: 'Prepared' },
    ),
    Prepared: {
      Type: 'Choice',
      Choices: [
        { Variable: '$.database.outcome', StringEquals: 'again', Next: 'PrepareDatabase' },
        { Variable: '$.dryRun', BooleanEquals: true, Next: 'LookedAt' },
      ],
      Default: 'LoadRows',
    },
    LookedAt: { Type: 'Succeed' },
    LoadRows: rowsMap('LoadRows', 'load', '$.shard.itemsKey', { Next: 'FinishDatabase' }),
    FinishDatabase: invoke(
      database,
      { phase: 'finish', ...shardContext },
      { ...outcome, Retry: retryDatabase, Next: 'Finished' },
    ),
    Finished: {
      Type: 'Choice',
      Choices: [{ Variable: '$.database.outcome', StringEquals: 'again', Next: 'FinishDatabase' }],
      Default: 'CompareRows',
    },
    CompareRows: rowsMap('CompareRows', 'compare', '$.shard.comparisonKey', { End: true }),
  };
}

/** A backup of what is about to be replaced; it has to be complete before anything else happens. */
function safetyStates(backupStateMachineArn: string): States {
  const sdk = (call: string) => `arn:${Aws.PARTITION}:states:::aws-sdk:sfn:${call}`;
  const busy = retry(['Sfn.SdkClientException', 'Sfn.ServiceQuotaExceededException'], 3);
  return {
    StartSafetyBackup: {
      Type: 'Task',
      Resource: sdk('startExecution'),
      Parameters: {
        StateMachineArn: backupStateMachineArn,
        'Name.$': '$.safetyBackup.id',
        'Input.$': 'States.JsonToString($.safetyBackup.input)',
      },
      ResultPath: null,
      TimeoutSeconds: 60,
      Retry: [busy],
      Catch: [
        {
          ErrorEquals: ['Sfn.ExecutionAlreadyExistsException'],
          ResultPath: null,
          Next: 'WaitForSafetyBackup',
        },
        ...catchAll('Conclude'),
      ],
      Next: 'WaitForSafetyBackup',
    },
    WaitForSafetyBackup: { Type: 'Wait', Seconds: safetyPollSeconds, Next: 'LookAtSafetyBackup' },
    LookAtSafetyBackup: {
      Type: 'Task',
      Resource: sdk('describeExecution'),
      Parameters: { 'ExecutionArn.$': '$.safetyBackup.executionArn' },
      ResultSelector: { 'status.$': '$.Status' },
      ResultPath: '$.safety',
      TimeoutSeconds: 60,
      Retry: [busy],
      Catch: catchAll('Conclude'),
      Next: 'SafetyBackupEnded',
    },
    SafetyBackupEnded: {
      Type: 'Choice',
      Choices: [
        { Variable: '$.safety.status', StringEquals: 'RUNNING', Next: 'WaitForSafetyBackup' },
        { Variable: '$.safety.status', StringEquals: 'SUCCEEDED', Next: 'Shards' },
      ],
      Default: 'SafetyBackupFailed',
    },
    SafetyBackupFailed: {
      Type: 'Pass',
      Parameters: {
        Error: 'SafetyBackupFailed',
        'Cause.$':
          "States.Format('The safety backup {} did not complete; nothing was replaced. Its record says why.', $.safetyBackup.id)",
      },
      ResultPath: '$.error',
      Next: 'Conclude',
    },
  };
}
