import {
  BackupNotRunningError,
  IncompleteBackupError,
  ManifestError,
  ObjectTooLargeError,
} from '../../functions/recovery/errors.ts';
import type { DeploymentConfig } from '../config/schema.ts';
import { distributedMap, invoke, retryAllBut, retryTroubleBut } from '../constructs/states.ts';
import type { RecoveryFunctions } from './functions.ts';

/** Errors that are the same at the next try. */
const permanentErrors = [BackupNotRunningError, IncompleteBackupError, ManifestError, ObjectTooLargeError];

const context = { 'backupId.$': '$.backupId', 'traceparent.$': '$.traceparent' };

/** What a backup has beside databases: the configuration, which takes seconds, and then the files. */
export function componentsBranch(functions: RecoveryFunctions, config: DeploymentConfig) {
  const again = retryTroubleBut(permanentErrors);
  const copyRetry = retryAllBut(permanentErrors);
  const planFiles = functions['plan-files'];
  const ofPlan = { ...context, 'type.$': '$.type' };
  return {
    StartAt: 'ConfigurationWanted',
    States: {
      ConfigurationWanted: {
        Type: 'Choice',
        Choices: [{ Variable: '$.parts.configuration', BooleanEquals: true, Next: 'DumpConfiguration' }],
        Default: 'FilesWanted',
      },
      DumpConfiguration: invoke(
        functions['dump-configuration'],
        { phase: 'dump', ...context },
        {
          ResultSelector: { 'work.$': '$.Payload.work' },
          ResultPath: '$.stored',
          Retry: again,
          Next: 'VerifyConfiguration',
        },
      ),
      VerifyConfiguration: invoke(
        functions['verify-chunk'],
        { purpose: 'component', ...context, part: 'configuration', 'work.$': '$.stored.work' },
        { ResultPath: null, Retry: again, Next: 'FilesWanted' },
      ),
      FilesWanted: {
        Type: 'Choice',
        Choices: [{ Variable: '$.parts.files', BooleanEquals: true, Next: 'PlanFiles' }],
        Default: 'NoFiles',
      },
      NoFiles: { Type: 'Succeed' },
      PlanFiles: invoke(
        planFiles,
        { phase: 'plan', ...ofPlan },
        {
          ResultSelector: {
            'outcome.$': '$.Payload.outcome',
            'bucket.$': '$.Payload.bucket',
            'key.$': '$.Payload.key',
          },
          ResultPath: '$.files',
          Retry: again,
          Next: 'FilesPlanned',
        },
      ),
      FilesPlanned: {
        Type: 'Choice',
        Choices: [{ Variable: '$.files.outcome', StringEquals: 'again', Next: 'PlanFiles' }],
        Default: 'Files',
      },
      Files: distributedMap(
        {
          label: 'Files',
          bucket: '$.files.bucket',
          key: '$.files.key',
          maxConcurrency: config.backup.fileConcurrency,
          itemSelector: { ...context, 'work.$': '$$.Map.Item.Value' },
          startAt: 'CopyFiles',
          states: {
            CopyFiles: invoke(functions['copy-files'], '$', {
              OutputPath: '$.Payload',
              Retry: copyRetry,
              Next: 'VerifyFiles',
            }),
            VerifyFiles: invoke(functions['verify-chunk'], '$', {
              OutputPath: null,
              Retry: copyRetry,
              End: true,
            }),
          },
        },
        { Next: 'IndexFiles' },
      ),
      IndexFiles: invoke(
        planFiles,
        { phase: 'index', ...ofPlan },
        { OutputPath: '$.Payload', Retry: again, Next: 'VerifyIndex' },
      ),
      VerifyIndex: invoke(functions['verify-chunk'], '$', { ResultPath: null, Retry: again, End: true }),
    },
  };
}
