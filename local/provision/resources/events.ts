import * as z from 'zod';
import type { EventBuses } from '../../events/event-bus.ts';
import { targetSchema } from '../../events/rule.ts';
import { physicalName, type ResourceHandler } from '../resource.ts';

const busProperties = z.looseObject({ Name: z.string() });
const ruleProperties = z.looseObject({
  Name: z.string().optional(),
  Description: z.string().optional(),
  EventBusName: z.string().default('default'),
  EventPattern: z.record(z.string(), z.unknown()).optional(),
  ScheduleExpression: z.string().optional(),
  State: z.enum(['ENABLED', 'DISABLED']).default('ENABLED'),
  Targets: z.array(z.strictObject(targetSchema.shape)).default([]),
});

/** Event buses and their rules. */
export function eventsResources(
  buses: EventBuses,
  { region, accountId }: { region: string; accountId: string },
): Record<string, ResourceHandler> {
  return {
    'AWS::Events::EventBus': (request) => {
      const { Name } = busProperties.parse(request.properties);
      return { ref: Name, attributes: { Arn: buses.ensureBus(Name).arn, Name } };
    },
    'AWS::Events::Rule': (request) => {
      const properties = ruleProperties.parse(request.properties);
      const name = properties.Name ?? physicalName(request, 64);
      const bus = properties.EventBusName === 'default' ? '' : `${properties.EventBusName}/`;
      const { arn } = buses.ensureRule({
        arn: `arn:aws:events:${region}:${accountId}:rule/${bus}${name}`,
        name,
        busName: properties.EventBusName,
        state: properties.State,
        targets: properties.Targets,
        ...(properties.Description && { description: properties.Description }),
        ...(properties.EventPattern && { pattern: properties.EventPattern }),
        ...(properties.ScheduleExpression && { schedule: properties.ScheduleExpression }),
      });
      return { ref: name, attributes: { Arn: arn } };
    },
  };
}
