import * as z from 'zod';
import type { StepFunctions } from '../../step-functions/step-functions.ts';
import { physicalName, type ResourceHandler } from '../resource.ts';

const machineProperties = z.looseObject({
  StateMachineName: z.string().optional(),
  StateMachineType: z.string().default('STANDARD'),
  DefinitionString: z.string(),
  RoleArn: z.string(),
  LoggingConfiguration: z
    .object({
      Level: z.enum(['ALL', 'ERROR', 'FATAL', 'OFF']),
      IncludeExecutionData: z.boolean().default(false),
      Destinations: z.tuple([z.object({ CloudWatchLogsLogGroup: z.object({ LogGroupArn: z.string() }) })]),
    })
    .optional(),
});

/** State machines. */
export function stepFunctionsResources(
  workflows: StepFunctions,
  { region, accountId }: { region: string; accountId: string },
): Record<string, ResourceHandler> {
  return {
    'AWS::StepFunctions::StateMachine': async (request) => {
      const properties = machineProperties.parse(request.properties);
      const logging = properties.LoggingConfiguration;
      const name = properties.StateMachineName ?? physicalName(request, 80);
      const arn = `arn:aws:states:${region}:${accountId}:stateMachine:${name}`;
      await workflows.ensureStateMachine({
        arn,
        name,
        definition: properties.DefinitionString,
        roleArn: properties.RoleArn,
        type: properties.StateMachineType,
        ...(logging && {
          logging: {
            level: logging.Level,
            includeExecutionData: logging.IncludeExecutionData,
            groupName: groupNameOf(logging.Destinations[0].CloudWatchLogsLogGroup.LogGroupArn),
          },
        }),
      });
      return { ref: arn, attributes: { Arn: arn, Name: name } };
    },
  };
}

/** The name in a log group's ARN, which ends with `:*` in templates. */
function groupNameOf(arn: string): string {
  return arn.replace(/^arn:aws:logs:[^:]*:[^:]*:log-group:/, '').replace(/:\*$/, '');
}
