import * as z from 'zod';
import type { Logs } from '../../cloudwatch/logs.ts';
import { physicalName, type ResourceHandler } from '../resource.ts';

const properties = z.looseObject({
  LogGroupName: z.string().optional(),
  RetentionInDays: z.number().optional(),
});

/** Log groups. Those that a function writes to are tied to its file when the function is created. */
export function logsResources(logs: Logs): Record<string, ResourceHandler> {
  return {
    'AWS::Logs::LogGroup': (request) => {
      const { LogGroupName: name = physicalName(request, 512), RetentionInDays } = properties.parse(
        request.properties,
      );
      const { arn } = logs.ensureGroup({
        name,
        ...(RetentionInDays !== undefined && { retentionInDays: RetentionInDays }),
      });
      return { ref: name, attributes: { Arn: arn } };
    },
  };
}
