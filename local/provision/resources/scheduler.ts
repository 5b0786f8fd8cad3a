import * as z from 'zod';
import type { Scheduler } from '../../scheduler/scheduler.ts';
import type { ResourceHandler } from '../resource.ts';

const groupProperties = z.looseObject({ Name: z.string() });

/** Schedule groups. Schedules themselves belong to the API and its users. */
export function schedulerResources(scheduler: Scheduler): Record<string, ResourceHandler> {
  return {
    'AWS::Scheduler::ScheduleGroup': async (request) => {
      const { Name } = groupProperties.parse(request.properties);
      const { arn } = await scheduler.ensureGroup(Name);
      return { ref: Name, attributes: { Arn: arn } };
    },
  };
}
