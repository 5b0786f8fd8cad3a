import { Aws, Duration } from 'aws-cdk-lib';
import {
  RestoreConflictError,
  RestoreNotRunningError,
  UnknownShardError,
} from '../../functions/recovery/errors.ts';
import type { DeploymentConfig } from '../config/schema.ts';
import {
  catchAll,
  distributedMap,
  failAsCaught,
  invoke,
  retry,
  retryTroubleBut,
  type State,
  type States,
} from '../constructs/states.ts';
import type { WorkflowProps } from '../constructs/workflow.ts';
import { concludeState } from './conclude-state.ts';
import type { RecoveryFunctions } from './functions.ts';
import { pollUntilAvailable, rdsTask } from './rds-states.ts';

/** Errors that are the same at the next try. */
const permanentErrors = [RestoreConflictError, RestoreNotRunningError, UnknownShardError];
const retryStep = retryTroubleBut(permanentErrors);

const context = { 'restoreId.$': '$.restoreId', 'traceparent.$': '$.traceparent' };

/**
 * Restores clusters to a point in time. Step Functions calls RDS itself: what is made has names that only this restore gives, so
 * that a step which is done again finds it. The parameters have the names of the SDK for Java, as Step Functions wants them.
 */
export function pointInTimeDefinition(
  functions: RecoveryFunctions,
  config: DeploymentConfig,
): WorkflowProps['definition'] {
  const fn = functions['point-in-time'];
  const step = (payload: State, rest: Parameters<typeof invoke>[2]): State =>
    invoke(fn, payload, { Retry: retryStep, Catch: catchAll('Conclude'), ...rest });
  return {
    Comment: 'Restores clusters to a point in time, into new clusters. The input names the restore.',
    TimeoutSeconds: Duration.hours(config.backup.timeoutHours).toSeconds(),
    StartAt: 'PlanPointInTime',
    States: {
      PlanPointInTime: step(
        { phase: 'plan', 'executionArn.$': '$$.Execution.Id', 'input.$': '$$.Execution.Input' },
        { OutputPath: '$.Payload', Next: 'OnlyPlanned' },
      ),
      OnlyPlanned: {
        Type: 'Choice',
        Choices: [{ Variable: '$.dryRun', BooleanEquals: true, Next: 'CompletePointInTime' }],
        Default: 'Clusters',
      },
      Clusters: distributedMap(
        {
          label: 'Clusters',
          bucket: '$.bucket',
          key: '$.key',
          maxConcurrency: config.backup.shardConcurrency,
          itemSelector: { ...context, 'shard.$': '$$.Map.Item.Value' },
          startAt: 'ChooseRestore',
          states: clusterStates(functions),
        },
        { Catch: catchAll('Conclude'), Next: 'CutOverNeeded' },
      ),
      CutOverNeeded: {
        Type: 'Choice',
        Choices: [{ Variable: '$.cutOver', BooleanEquals: true, Next: 'CutOver' }],
        Default: 'ProtectClusters',
      },
      CutOver: step({ phase: 'cut-over', ...context }, { ResultPath: null, Next: 'ProtectClusters' }),
      ProtectClusters: {
        Type: 'Map',
        ItemsPath: '$.clusters',
        MaxConcurrency: config.backup.shardConcurrency,
        ItemProcessor: {
          ProcessorConfig: { Mode: 'INLINE' },
          StartAt: 'ProtectionNeeded',
          States: protectStates(),
        },
        ResultPath: null,
        Catch: catchAll('Conclude'),
        Next: 'CompletePointInTime',
      },
      CompletePointInTime: step({ phase: 'complete', ...context }, { OutputPath: '$.Payload', End: true }),
      Conclude: concludeState(functions),
      ...failAsCaught('Failed'),
    },
  };
}

/** One shard: the cluster, its writer, and a look at both. A restore to a point in time gives defaults to what it is not told. */
function clusterStates(functions: RecoveryFunctions): States {
  const latest = { Variable: '$.shard.restoreTo', IsNull: true };
  const provisioned = { Variable: '$.shard.scaling', IsNull: true };
  return {
    ChooseRestore: {
      Type: 'Choice',
      Choices: [
        { And: [latest, provisioned], Next: 'RestoreLatestProvisioned' },
        { ...latest, Next: 'RestoreLatest' },
        { ...provisioned, Next: 'RestoreToTimeProvisioned' },
      ],
      Default: 'RestoreToTime',
    },
    RestoreToTime: restoreCluster(toTime, serverless),
    RestoreToTimeProvisioned: restoreCluster(toTime, {}),
    RestoreLatest: restoreCluster(toLatest, serverless),
    RestoreLatestProvisioned: restoreCluster(toLatest, {}),
    ...pollUntilAvailable('Cluster', {
      call: 'describeDBClusters',
      parameters: { 'DbClusterIdentifier.$': '$.shard.identifier' },
      status: '$.DbClusters[0].Status',
      next: 'ChooseWriter',
    }),
    ChooseWriter: {
      Type: 'Choice',
      Choices: [{ Variable: '$.shard.writer.insights', IsNull: true, Next: 'CreateWriter' }],
      Default: 'CreateWriterWithInsights',
    },
    CreateWriter: createWriter({ EnablePerformanceInsights: false }),
    CreateWriterWithInsights: createWriter({
      EnablePerformanceInsights: true,
      'PerformanceInsightsKMSKeyId.$': '$.shard.writer.insights.key',
      'PerformanceInsightsRetentionPeriod.$': '$.shard.writer.insights.days',
    }),
    ...pollUntilAvailable('Writer', {
      call: 'describeDBInstances',
      parameters: { 'DbInstanceIdentifier.$': '$.shard.instance' },
      status: '$.DbInstances[0].DbInstanceStatus',
      next: 'FindCluster',
    }),
    FindCluster: invoke(
      functions['point-in-time'],
      { phase: 'find', ...context, 'shard.$': '$.shard' },
      {
        ResultSelector: { 'instance.$': '$.Payload.instance' },
        ResultPath: '$.found',
        Retry: retryStep,
        Next: 'CheckCluster',
      },
    ),
    CheckCluster: invoke(
      functions['check-point-in-time'],
      {
        ...context,
        'shard.$': '$.shard.name',
        'database.$': '$.shard.database',
        'server.$': '$.found.instance',
      },
      { OutputPath: null, Retry: retryStep, End: true },
    ),
  };
}

const toTime = { 'RestoreToTime.$': '$.shard.restoreTo' };
const toLatest = { UseLatestRestorableTime: true };
const serverless = {
  ServerlessV2ScalingConfiguration: {
    'MinCapacity.$': '$.shard.scaling.minCapacity',
    'MaxCapacity.$': '$.shard.scaling.maxCapacity',
  },
};

/** The key is not named: RDS takes the source's. Not protected yet: what is not good has to be removable. */
function restoreCluster(time: State, scaling: State): State {
  return rdsTask(
    'restoreDBClusterToPointInTime',
    {
      'DbClusterIdentifier.$': '$.shard.identifier',
      'SourceDBClusterIdentifier.$': '$.shard.source',
      ...time,
      'DbSubnetGroupName.$': '$.shard.subnetGroup',
      'VpcSecurityGroupIds.$': '$.shard.securityGroups',
      'DbClusterParameterGroupName.$': '$.shard.parameterGroup',
      'EnableIAMDatabaseAuthentication.$': '$.shard.iamAuthentication',
      'Port.$': '$.shard.port',
      'CopyTagsToSnapshot.$': '$.shard.copyTagsToSnapshot',
      'StorageType.$': '$.shard.storageType',
      'EnableCloudwatchLogsExports.$': '$.shard.logExports',
      'Tags.$': '$.shard.tags',
      DeletionProtection: false,
      ...scaling,
    },
    { exists: 'Rds.DbClusterAlreadyExistsException', next: 'StartWaitingForCluster' },
  );
}

function createWriter(insights: State): State {
  return rdsTask(
    'createDBInstance',
    {
      'DbInstanceIdentifier.$': '$.shard.instance',
      'DbClusterIdentifier.$': '$.shard.identifier',
      Engine: 'aurora-postgresql',
      'DbInstanceClass.$': '$.shard.writer.instanceClass',
      'DbParameterGroupName.$': '$.shard.writer.parameterGroup',
      'PromotionTier.$': '$.shard.writer.tier',
      PubliclyAccessible: false,
      ...insights,
    },
    { exists: 'Rds.DbInstanceAlreadyExistsException', next: 'StartWaitingForWriter' },
  );
}

/** Protects what is good now against deletion, as its source is. */
function protectStates(): States {
  return {
    ProtectionNeeded: {
      Type: 'Choice',
      Choices: [{ Variable: '$.protect', BooleanEquals: true, Next: 'ProtectCluster' }],
      Default: 'ProtectionDone',
    },
    ProtectCluster: {
      Type: 'Task',
      Resource: `arn:${Aws.PARTITION}:states:::aws-sdk:rds:modifyDBCluster`,
      Parameters: {
        'DbClusterIdentifier.$': '$.identifier',
        DeletionProtection: true,
        ApplyImmediately: true,
      },
      ResultPath: null,
      TimeoutSeconds: 60,
      Retry: [retry(['States.ALL'], 5)],
      Next: 'ProtectionDone',
    },
    ProtectionDone: { Type: 'Succeed' },
  };
}
