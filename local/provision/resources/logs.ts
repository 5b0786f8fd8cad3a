import * as z from 'zod';
import type { LogSubscriptions } from '../../cloudwatch/log-subscriptions.ts';
import type { Logs } from '../../cloudwatch/logs.ts';
import { physicalName, type ResourceHandler } from '../resource.ts';

const properties = z.looseObject({
  LogGroupName: z.string().optional(),
  RetentionInDays: z.number().optional(),
});

const subscriptionProperties = z.strictObject({
  LogGroupName: z.string(),
  FilterName: z.string().optional(),
  FilterPattern: z.string(),
  DestinationArn: z.string().startsWith('arn:aws:lambda:'),
});

/** Log groups, and subscriptions to them. Those that a function writes to are tied to its file when the function is created. */
export function logsResources(logs: Logs, subscriptions: LogSubscriptions): Record<string, ResourceHandler> {
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
    'AWS::Logs::SubscriptionFilter': (request) => {
      const { LogGroupName, FilterName, FilterPattern, DestinationArn } = subscriptionProperties.parse(
        request.properties,
      );
      const name = FilterName ?? physicalName(request, 512);
      subscriptions.ensure({
        groupName: logs.group(LogGroupName).name,
        ...{ name, pattern: FilterPattern, destinationArn: DestinationArn },
      });
      return { ref: name, attributes: {} };
    },
  };
}
