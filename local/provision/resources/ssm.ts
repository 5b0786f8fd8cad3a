import * as z from 'zod';
import type { SsmService } from '../../ssm/ssm-service.ts';
import { physicalName, type ResourceHandler } from '../resource.ts';

const parameterProperties = z.looseObject({
  Name: z.string().optional(),
  Type: z.enum(['String', 'StringList']),
  Value: z.string(),
  Description: z.string().optional(),
});

/** Parameters of Systems Manager. */
export function ssmResources(ssm: SsmService): Record<string, ResourceHandler> {
  return {
    'AWS::SSM::Parameter': async (request) => {
      const { Name, Type, Value, Description } = parameterProperties.parse(request.properties);
      const { name } = await ssm.ensureParameter({
        name: Name ?? `CFN-${physicalName(request)}`,
        type: Type,
        value: Value,
        ...(Description !== undefined && { description: Description }),
      });
      return { ref: name, attributes: { Type, Value } };
    },
  };
}
