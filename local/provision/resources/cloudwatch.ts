import * as z from 'zod';
import type { CloudWatch } from '../../cloudwatch/cloudwatch.ts';
import { physicalName, type ResourceHandler } from '../resource.ts';

const named = z.looseObject({ AlarmName: z.string().optional() });

/** Alarms. Their definition is read, and what is not supported refused, by the emulated CloudWatch itself. */
export function cloudWatchResources({ alarms }: CloudWatch): Record<string, ResourceHandler> {
  return {
    'AWS::CloudWatch::Alarm': (request) => {
      const { AlarmName = physicalName(request, 255) } = named.parse(request.properties);
      const { arn } = alarms.ensureAlarm({ ...request.properties, AlarmName });
      return { ref: AlarmName, attributes: { Arn: arn } };
    },
    'AWS::CloudWatch::CompositeAlarm': (request) => {
      const { AlarmName = physicalName(request, 255) } = named.parse(request.properties);
      const { arn } = alarms.ensureComposite({ ...request.properties, AlarmName });
      return { ref: AlarmName, attributes: { Arn: arn } };
    },
  };
}
