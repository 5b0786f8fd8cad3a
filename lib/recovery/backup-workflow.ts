import { Aws, Duration } from 'aws-cdk-lib';
import {
  BackupConflictError,
  BackupNotRunningError,
  IncompleteBackupError,
  ManifestError,
  PreflightError,
  SnapshotLostError,
  UnknownTenantError,
} from '../../functions/recovery/errors.ts';
import type { DeploymentConfig } from '../config/schema.ts';
import {
  catchAll,
  distributedMap,
  failAsCaught,
  invoke,
  retry,
  retryAllBut,
  retryNotStarted,
  retryTrouble,
  type States,
} from '../constructs/states.ts';
import type { WorkflowProps } from '../constructs/workflow.ts';
import { componentsBranch } from './components-branch.ts';
import { concludeState } from './conclude-state.ts';
import type { RecoveryFunctions } from './functions.ts';

/** Errors of a chunk that are the same at the next try. */
const permanentErrors = [
  BackupNotRunningError,
  IncompleteBackupError,
  ManifestError,
  PreflightError,
  SnapshotLostError,
  UnknownTenantError,
];

/** One that was scheduled may come while the one before it is at work: for two hours it waits for its turn. */
const waitForShards = {
  ErrorEquals: [BackupConflictError.name],
  IntervalSeconds: 240,
  BackoffRate: 2,
  MaxAttempts: 5,
};

const shardContext = { 'backupId.$': '$.backupId', 'traceparent.$': '$.traceparent', 'shard.$': '$.shard' };

/** A backup: plan, then each shard on its own beside files and configuration, then the commit that makes it a backup. */
export function backupDefinition(
  functions: RecoveryFunctions,
  config: DeploymentConfig,
  encryptionKeyArn: string,
): WorkflowProps['definition'] {
  return {
    Comment: 'Takes an encrypted, verified backup of the shards. The execution’s name is the backup’s id.',
    TimeoutSeconds: Duration.hours(config.backup.timeoutHours).toSeconds(),
    StartAt: 'Plan',
    States: {
      Plan: invoke(
        functions.plan,
        {
          'backupId.$': '$$.Execution.Name',
          'executionArn.$': '$$.Execution.Id',
          'startedAt.$': '$$.Execution.StartTime',
          'input.$': '$$.Execution.Input',
        },
        {
          OutputPath: '$.Payload',
          Retry: [retryTrouble, waitForShards],
          Catch: catchAll('Conclude'),
          Next: 'CheckKey',
        },
      ),
      // Fails early, and cheaply, when the key cannot be used. No plaintext key enters a state.
      CheckKey: {
        Type: 'Task',
        Resource: `arn:${Aws.PARTITION}:states:::aws-sdk:kms:generateDataKeyWithoutPlaintext`,
        Parameters: { KeyId: encryptionKeyArn, KeySpec: 'AES_256' },
        ResultPath: null,
        TimeoutSeconds: 30,
        Retry: [
          retry(['Kms.KmsInternalException', 'Kms.DependencyTimeoutException', 'Kms.SdkClientException'], 3),
        ],
        Catch: catchAll('Conclude'),
        Next: 'Components',
      },
      // Side by side, so that what they hold is of about the same time.
      Components: {
        Type: 'Parallel',
        Branches: [databaseBranch(functions, config), componentsBranch(functions, config)],
        ResultPath: null,
        Catch: catchAll('Conclude'),
        Next: 'Commit',
      },
      Commit: invoke(
        functions.commit,
        { 'backupId.$': '$.backupId', 'traceparent.$': '$.traceparent' },
        { OutputPath: '$.Payload', Retry: [retryTrouble], Catch: catchAll('Conclude'), End: true },
      ),
      Conclude: concludeState(functions),
      ...failAsCaught('Failed'),
    },
  };
}

/** The databases, shard by shard. */
function databaseBranch(functions: RecoveryFunctions, config: DeploymentConfig) {
  return {
    StartAt: 'DatabaseWanted',
    States: {
      DatabaseWanted: {
        Type: 'Choice',
        Choices: [{ Variable: '$.parts.database', BooleanEquals: true, Next: 'Shards' }],
        Default: 'NoDatabase',
      },
      NoDatabase: { Type: 'Succeed' },
      Shards: {
        Type: 'Map',
        ItemsPath: '$.shards',
        MaxConcurrency: config.backup.shardConcurrency,
        ItemSelector: {
          'backupId.$': '$.backupId',
          'traceparent.$': '$.traceparent',
          'shard.$': '$$.Map.Item.Value',
        },
        ItemProcessor: {
          ProcessorConfig: { Mode: 'INLINE' },
          StartAt: 'BackUpShard',
          States: shardStates(functions, config),
        },
        ResultPath: null,
        End: true,
      },
    },
  };
}

/** One shard: two lanes keep its snapshot alive while the work is done from it. */
function shardStates(functions: RecoveryFunctions, config: DeploymentConfig): States {
  return {
    BackUpShard: {
      Type: 'Parallel',
      Branches: [lane(functions, 'a'), lane(functions, 'b'), work(functions, config)],
      ResultPath: null,
      Catch: catchAll('ReleaseAfterFailure'),
      End: true,
    },
    ReleaseAfterFailure: invoke(functions.release, '$', {
      ResultPath: null,
      Retry: [retryTrouble],
      Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: null, Next: 'ShardFailed' }],
      Next: 'ShardFailed',
    }),
    ...failAsCaught('ShardFailed'),
  };
}

/**
 * Holds the exported snapshot, or stands by to take it over. Never tried again once it may have begun: a second start
 * would export a second snapshot, and a backup must come from one.
 */
function lane(functions: RecoveryFunctions, lane: 'a' | 'b') {
  const name = lane.toUpperCase();
  return {
    StartAt: `HoldSnapshot${name}`,
    States: {
      [`HoldSnapshot${name}`]: invoke(
        functions['hold-snapshot'],
        { ...shardContext, lane },
        {
          ResultSelector: { 'outcome.$': '$.Payload.outcome' },
          ResultPath: '$.hold',
          Retry: [retryNotStarted],
          Next: `NeededAgain${name}`,
        },
      ),
      [`NeededAgain${name}`]: {
        Type: 'Choice',
        Choices: [{ Variable: '$.hold.outcome', StringEquals: 'again', Next: `HoldSnapshot${name}` }],
        Default: `Released${name}`,
      },
      [`Released${name}`]: { Type: 'Succeed' },
    },
  };
}

/** What is done from the snapshot, in order; the snapshot is released at the end of it. */
function work(functions: RecoveryFunctions, config: DeploymentConfig) {
  const chunkRetry = retryAllBut(permanentErrors);
  return {
    StartAt: 'DumpSchema',
    States: {
      DumpSchema: invoke(
        functions['dump-schema'],
        { ...shardContext, phase: 'ddl' },
        { ResultPath: null, Retry: [retryTrouble], Next: 'PlanChunks' },
      ),
      PlanChunks: invoke(functions['plan-chunks'], shardContext, {
        ResultSelector: { 'bucket.$': '$.Payload.bucket', 'key.$': '$.Payload.key' },
        ResultPath: '$.plan',
        Retry: [retryTrouble],
        Next: 'Chunks',
      }),
      Chunks: distributedMap(
        {
          label: 'Chunks',
          bucket: '$.plan.bucket',
          key: '$.plan.key',
          maxConcurrency: config.backup.chunkConcurrency,
          itemSelector: { ...shardContext, 'work.$': '$$.Map.Item.Value' },
          startAt: 'ChunkPipeline',
          states: {
            ChunkPipeline: invoke(functions['chunk-pipeline'], '$', {
              OutputPath: '$.Payload',
              Retry: chunkRetry,
              Next: 'VerifyChunk',
            }),
            VerifyChunk: invoke(functions['verify-chunk'], '$', {
              OutputPath: null,
              Retry: chunkRetry,
              End: true,
            }),
          },
        },
        { Next: 'ReadSequences' },
      ),
      // Last: a sequence is not part of the snapshot, and its value may only be too high, never too low.
      ReadSequences: invoke(
        functions['dump-schema'],
        { ...shardContext, phase: 'sequences' },
        { ResultPath: null, Retry: [retryTrouble], Next: 'Release' },
      ),
      Release: invoke(functions.release, shardContext, {
        ResultPath: null,
        Retry: [retryTrouble],
        End: true,
      }),
    },
  };
}
