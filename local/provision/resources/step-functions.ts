import { z } from 'zod';
import type { StepFunctions } from '../../step-functions/step-functions.ts';
import { physicalName, type ResourceHandler } from '../resource.ts';

const machineProperties = z.looseObject({
  StateMachineName: z.string().optional(),
  StateMachineType: z.string().default('STANDARD'),
  DefinitionString: z.string(),
  RoleArn: z.string(),
});

/** State machines. */
export function stepFunctionsResources(
  workflows: StepFunctions,
  { region, accountId }: { region: string; accountId: string },
): Record<string, ResourceHandler> {
  return {
    'AWS::StepFunctions::StateMachine': async (request) => {
      const properties = machineProperties.parse(request.properties);
      const name = properties.StateMachineName ?? physicalName(request, 80);
      const arn = `arn:aws:states:${region}:${accountId}:stateMachine:${name}`;
      await workflows.ensureStateMachine({
        arn,
        name,
        definition: properties.DefinitionString,
        roleArn: properties.RoleArn,
        type: properties.StateMachineType,
      });
      return { ref: arn, attributes: { Arn: arn, Name: name } };
    },
  };
}
