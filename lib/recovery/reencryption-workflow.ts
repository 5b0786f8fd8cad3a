import { Duration } from 'aws-cdk-lib';
import {
  BackupNotRunningError,
  DamagedObjectError,
  EscrowError,
  IncompleteBackupError,
  ManifestError,
  UnavailableKeysError,
  UnknownBackupError,
} from '../../functions/recovery/errors.ts';
import type { DeploymentConfig } from '../config/schema.ts';
import { catchAll, distributedMap, failAsCaught, invoke, retryTroubleBut } from '../constructs/states.ts';
import type { WorkflowProps } from '../constructs/workflow.ts';
import { concludeState } from './conclude-state.ts';
import type { RecoveryFunctions } from './functions.ts';

/** Errors that are the same at the next try. */
const retries = retryTroubleBut([
  BackupNotRunningError,
  DamagedObjectError,
  EscrowError,
  IncompleteBackupError,
  ManifestError,
  UnavailableKeysError,
  UnknownBackupError,
]);

const context = {
  'backupId.$': '$.backupId',
  'operationId.$': '$.operationId',
  'traceparent.$': '$.traceparent',
  'keys.$': '$.keys',
};

/**
 * Stores every object of a backup anew, under the keys as of now, and has the backup consist of these; or has a backup of another
 * deployment's copies.
 */
export function reencryptionDefinition(
  functions: RecoveryFunctions,
  config: DeploymentConfig,
): WorkflowProps['definition'] {
  const backup = functions['reencrypt-backup'];
  return {
    Comment: 'Re-encrypts a stored backup, or adopts one. The execution’s name is the operation’s id.',
    TimeoutSeconds: Duration.hours(config.backup.timeoutHours).toSeconds(),
    StartAt: 'PlanReencryption',
    States: {
      PlanReencryption: invoke(
        backup,
        {
          phase: 'plan',
          'operationId.$': '$$.Execution.Name',
          'executionArn.$': '$$.Execution.Id',
          'input.$': '$$.Execution.Input',
        },
        { OutputPath: '$.Payload', Retry: retries, Catch: catchAll('Conclude'), Next: 'AllObjects' },
      ),
      AllObjects: distributedMap(
        {
          label: 'AllObjects',
          bucket: '$.bucket',
          key: '$.key',
          maxConcurrency: config.backup.chunkConcurrency,
          itemSelector: { ...context, 'work.$': '$$.Map.Item.Value' },
          startAt: 'ReencryptObjects',
          states: {
            ReencryptObjects: invoke(functions['reencrypt-objects'], '$', {
              OutputPath: null,
              Retry: retries,
              End: true,
            }),
          },
        },
        { Catch: catchAll('Conclude'), Next: 'FinishReencryption' },
      ),
      FinishReencryption: invoke(
        backup,
        { phase: 'finish', ...context },
        { OutputPath: '$.Payload', Retry: retries, Catch: catchAll('Conclude'), End: true },
      ),
      Conclude: concludeState(functions),
      ...failAsCaught('Failed'),
    },
  };
}
