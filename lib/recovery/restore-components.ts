import {
  DamagedObjectError,
  IncompleteBackupError,
  ManifestError,
  RestoreNotRunningError,
} from '../../functions/recovery/errors.ts';
import type { DeploymentConfig } from '../config/schema.ts';
import {
  catchAll,
  distributedMap,
  invoke,
  retryAllBut,
  retryTroubleBut,
  type States,
} from '../constructs/states.ts';
import type { RecoveryFunctions } from './functions.ts';

/** Errors that are the same at the next try. */
const permanentErrors = [DamagedObjectError, IncompleteBackupError, ManifestError, RestoreNotRunningError];

const context = {
  'restoreId.$': '$.restoreId',
  'backupId.$': '$.backupId',
  'traceparent.$': '$.traceparent',
};

/** Puts files back and says what has changed in the configuration, where that was asked for. */
export function componentStates(
  functions: RecoveryFunctions,
  config: DeploymentConfig,
  next: string,
): States {
  return {
    FilesWanted: {
      Type: 'Choice',
      Choices: [{ Variable: '$.parts.files', BooleanEquals: true, Next: 'RestoreFiles' }],
      Default: 'ConfigurationWanted',
    },
    RestoreFiles: distributedMap(
      {
        label: 'RestoreFiles',
        bucket: '$.bucket',
        key: '$.filesKey',
        maxConcurrency: config.backup.chunkConcurrency,
        itemSelector: { ...context, 'dryRun.$': '$.dryRun', 'work.$': '$$.Map.Item.Value' },
        startAt: 'RestoreFilesItem',
        states: {
          RestoreFilesItem: invoke(functions['restore-files'], '$', {
            OutputPath: null,
            Retry: retryAllBut(permanentErrors),
            End: true,
          }),
        },
      },
      { Catch: catchAll('Conclude'), Next: 'ConfigurationWanted' },
    ),
    ConfigurationWanted: {
      Type: 'Choice',
      Choices: [{ Variable: '$.parts.configuration', BooleanEquals: true, Next: 'CompareConfiguration' }],
      Default: next,
    },
    CompareConfiguration: invoke(
      functions['dump-configuration'],
      { phase: 'compare', ...context },
      {
        ResultPath: null,
        Retry: retryTroubleBut(permanentErrors),
        Catch: catchAll('Conclude'),
        Next: next,
      },
    ),
  };
}
