import { Duration } from 'aws-cdk-lib';
import {
  DamagedObjectError,
  IncompleteBackupError,
  ManifestError,
  RestoreNotRunningError,
  UnknownBackupError,
} from '../../functions/recovery/errors.ts';
import type { DeploymentConfig } from '../config/schema.ts';
import {
  catchAll,
  distributedMap,
  failAsCaught,
  invoke,
  retryAllBut,
  retryTroubleBut,
} from '../constructs/states.ts';
import type { WorkflowProps } from '../constructs/workflow.ts';
import { concludeState } from './conclude-state.ts';
import type { RecoveryFunctions } from './functions.ts';

/** Errors that are the same at the next try. */
const permanentErrors = [
  DamagedObjectError,
  IncompleteBackupError,
  ManifestError,
  RestoreNotRunningError,
  UnknownBackupError,
];

const context = {
  'restoreId.$': '$.restoreId',
  'backupId.$': '$.backupId',
  'traceparent.$': '$.traceparent',
  'target.$': '$.target',
};

/** Restores an import: every segment is a part of the object that the dump is put together in. */
export function importRestoreDefinition(
  functions: RecoveryFunctions,
  config: DeploymentConfig,
): WorkflowProps['definition'] {
  const fn = functions['restore-import'];
  return {
    Comment: 'Restores an imported dump. The input names the restore.',
    TimeoutSeconds: Duration.hours(config.backup.timeoutHours).toSeconds(),
    StartAt: 'PlanImportRestore',
    States: {
      PlanImportRestore: invoke(
        fn,
        { phase: 'plan', 'executionArn.$': '$$.Execution.Id', 'input.$': '$$.Execution.Input' },
        {
          OutputPath: '$.Payload',
          Retry: retryTroubleBut(permanentErrors),
          Catch: catchAll('Conclude'),
          Next: 'OnlyLookedAtImport',
        },
      ),
      OnlyLookedAtImport: {
        Type: 'Choice',
        Choices: [{ Variable: '$.dryRun', BooleanEquals: true, Next: 'CompleteImportRestore' }],
        Default: 'RestoreSegments',
      },
      RestoreSegments: distributedMap(
        {
          label: 'RestoreSegments',
          bucket: '$.bucket',
          key: '$.key',
          maxConcurrency: config.backup.chunkConcurrency,
          itemSelector: { phase: 'segment', ...context, 'segment.$': '$$.Map.Item.Value' },
          startAt: 'RestoreSegment',
          states: {
            RestoreSegment: invoke(fn, '$', {
              OutputPath: null,
              Retry: retryAllBut(permanentErrors),
              End: true,
            }),
          },
        },
        { Catch: catchAll('Conclude'), Next: 'CompleteImportRestore' },
      ),
      CompleteImportRestore: invoke(
        fn,
        { phase: 'complete', ...context },
        {
          OutputPath: '$.Payload',
          Retry: retryTroubleBut(permanentErrors),
          Catch: catchAll('Conclude'),
          End: true,
        },
      ),
      Conclude: concludeState(functions),
      ...failAsCaught('Failed'),
    },
  };
}
