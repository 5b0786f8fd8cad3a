import { Duration } from 'aws-cdk-lib';
import type { DeploymentConfig } from '../config/schema.ts';
import { catchAll, distributedMap, failAsCaught, invoke, retryTrouble } from '../constructs/states.ts';
import type { WorkflowProps } from '../constructs/workflow.ts';
import { concludeState } from './conclude-state.ts';
import type { RecoveryFunctions } from './functions.ts';

/** Reads a stored backup back, object by object, and says what is wrong with which. */
export function verificationDefinition(
  functions: RecoveryFunctions,
  config: DeploymentConfig,
): WorkflowProps['definition'] {
  return {
    Comment: 'Verifies a stored backup. The execution’s name is the operation’s id.',
    TimeoutSeconds: Duration.hours(config.backup.timeoutHours).toSeconds(),
    StartAt: 'PlanVerification',
    States: {
      PlanVerification: invoke(
        functions['plan-verification'],
        {
          'operationId.$': '$$.Execution.Name',
          'executionArn.$': '$$.Execution.Id',
          'input.$': '$$.Execution.Input',
        },
        { OutputPath: '$.Payload', Retry: [retryTrouble], Catch: catchAll('Conclude'), Next: 'Objects' },
      ),
      Objects: distributedMap(
        {
          label: 'Objects',
          bucket: '$.bucket',
          key: '$.key',
          maxConcurrency: config.backup.chunkConcurrency,
          itemSelector: {
            purpose: 'verification',
            'backupId.$': '$.backupId',
            'operationId.$': '$.operationId',
            'traceparent.$': '$.traceparent',
            'mode.$': '$.mode',
            'keys.$': '$.keys',
            'work.$': '$$.Map.Item.Value',
          },
          startAt: 'VerifyObjects',
          states: {
            VerifyObjects: invoke(functions['verify-chunk'], '$', {
              OutputPath: null,
              Retry: [retryTrouble],
              End: true,
            }),
          },
        },
        { Catch: catchAll('Conclude'), Next: 'ConcludeVerification' },
      ),
      ConcludeVerification: invoke(functions['conclude-verification'], '$', {
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
