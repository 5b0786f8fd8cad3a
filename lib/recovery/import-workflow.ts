import { Duration } from 'aws-cdk-lib';
import {
  BackupNotRunningError,
  DamagedObjectError,
  IncompleteBackupError,
  ManifestError,
  UploadMismatchError,
} from '../../functions/recovery/errors.ts';
import type { DeploymentConfig } from '../config/schema.ts';
import {
  catchAll,
  distributedMap,
  failAsCaught,
  invoke,
  retryAllBut,
  retryTroubleBut,
  type States,
} from '../constructs/states.ts';
import type { WorkflowProps } from '../constructs/workflow.ts';
import { concludeState } from './conclude-state.ts';
import type { RecoveryFunctions } from './functions.ts';

/** Errors that are the same at the next try. */
const permanentErrors = [
  BackupNotRunningError,
  DamagedObjectError,
  IncompleteBackupError,
  ManifestError,
  UploadMismatchError,
];
const retries = retryTroubleBut(permanentErrors);

const context = { 'backupId.$': '$.backupId', 'traceparent.$': '$.traceparent' };

/** Makes a backup of a dump that was uploaded: segment by segment, and its hash beside that. */
export function importDefinition(
  functions: RecoveryFunctions,
  config: DeploymentConfig,
): WorkflowProps['definition'] {
  return {
    Comment: 'Imports a dump that was uploaded. The execution’s name is the backup’s id.',
    TimeoutSeconds: Duration.hours(config.backup.timeoutHours).toSeconds(),
    StartAt: 'PlanImport',
    States: {
      PlanImport: invoke(
        functions['plan-import'],
        {
          'backupId.$': '$$.Execution.Name',
          'executionArn.$': '$$.Execution.Id',
          'startedAt.$': '$$.Execution.StartTime',
          'input.$': '$$.Execution.Input',
        },
        { OutputPath: '$.Payload', Retry: retries, Catch: catchAll('Conclude'), Next: 'Dump' },
      ),
      Dump: {
        Type: 'Parallel',
        Branches: [
          {
            StartAt: 'Segments',
            States: {
              Segments: distributedMap(
                {
                  label: 'Segments',
                  bucket: '$.bucket',
                  key: '$.key',
                  maxConcurrency: config.backup.chunkConcurrency,
                  itemSelector: { ...context, 'segment.$': '$$.Map.Item.Value' },
                  startAt: 'Compress',
                  states: segmentStates(functions),
                },
                { End: true },
              ),
            },
          },
          digestBranch(functions),
        ],
        ResultPath: null,
        Catch: catchAll('Conclude'),
        Next: 'CommitImport',
      },
      CommitImport: invoke(functions['commit-import'], context, {
        OutputPath: '$.Payload',
        Retry: retries,
        Catch: catchAll('Conclude'),
        End: true,
      }),
      Conclude: concludeState(functions),
      ...failAsCaught('Failed'),
    },
  };
}

/** The stages of one segment, a state each; what one leaves is the next one's input. */
function segmentStates(functions: RecoveryFunctions): States {
  const state = (phase: string, rest: { Next: string } | { End: true }) =>
    invoke(
      functions['import-segment'],
      { phase, ...context, 'segment.$': '$.segment' },
      {
        OutputPath: 'End' in rest ? null : '$.Payload',
        Retry: retryAllBut(permanentErrors),
        ...rest,
      },
    );
  return {
    Compress: state('compress', { Next: 'Encrypt' }),
    Encrypt: state('encrypt', { Next: 'Hash' }),
    Hash: state('hash', { Next: 'Store' }),
    Store: state('store', { Next: 'Verify' }),
    Verify: state('verify', { End: true }),
  };
}

/** The SHA-256 of the whole dump: one byte after the other, in as many invocations as it takes. */
function digestBranch(functions: RecoveryFunctions) {
  return {
    StartAt: 'DigestUpload',
    States: {
      DigestUpload: invoke(
        functions['digest-upload'],
        { ...context, 'upload.$': '$.upload', 'digest.$': '$.digest' },
        {
          ResultSelector: { 'done.$': '$.Payload.done', 'state.$': '$.Payload.state' },
          ResultPath: '$.digest',
          Retry: retries,
          Next: 'Digested',
        },
      ),
      Digested: {
        Type: 'Choice',
        Choices: [{ Variable: '$.digest.done', BooleanEquals: false, Next: 'DigestUpload' }],
        Default: 'DigestKnown',
      },
      DigestKnown: { Type: 'Succeed' },
    },
  };
}
