import * as z from 'zod';
import { type AlarmProperties, type AlarmState, actionsSchema } from './alarm-definition.ts';
import { type AlarmRule, alarmsOf, parseRule, ruleHolds } from './composite-rule.ts';

/** Members of `AWS::CloudWatch::CompositeAlarm`; suppressing its actions is not supported. */
const templateSchema = z.strictObject({
  AlarmName: z.string().min(1).max(255),
  AlarmRule: z.string().min(1).max(10_240),
  AlarmDescription: z.string().optional(),
  ActionsEnabled: z.boolean().default(true),
  AlarmActions: actionsSchema,
  OKActions: actionsSchema,
  InsufficientDataActions: actionsSchema,
  Tags: z.array(z.unknown()).optional(),
});

/** An alarm whose state follows from that of others. */
export interface CompositeAlarm {
  readonly kind: 'composite';
  readonly name: string;
  readonly arn: string;
  readonly template: z.infer<typeof templateSchema>;
  readonly rule: AlarmRule;
  /** The names of the alarms that it depends on. */
  readonly children: readonly string[];
}

/**
 * Reads a composite alarm.
 *
 * @throws Error naming what about it is wrong or not supported.
 */
export function readComposite(template: AlarmProperties, arnOf: (name: string) => string): CompositeAlarm {
  const result = templateSchema.safeParse(template);
  if (!result.success) {
    throw new Error(`The alarm ${template.AlarmName} is not supported: ${z.prettifyError(result.error)}`);
  }
  const alarm = result.data;
  const prefix = arnOf('');
  const rule = parseRule(alarm.AlarmRule, (name) =>
    name.startsWith(prefix) ? name.slice(prefix.length) : name,
  );
  const children = alarmsOf(rule);
  if (children.length > 100) throw new Error(`The alarm ${alarm.AlarmName} depends on more than 100 alarms.`);
  return {
    kind: 'composite',
    name: alarm.AlarmName,
    arn: arnOf(alarm.AlarmName),
    template: alarm,
    rule,
    children,
  };
}

/** The state of a composite alarm; it has data as soon as its rule can be evaluated. */
export function compositeState({ rule }: CompositeAlarm, stateOf: (alarm: string) => AlarmState): AlarmState {
  return ruleHolds(rule, stateOf) ? 'ALARM' : 'OK';
}

const triggersSchema = z.object({
  triggeringAlarms: z.array(
    z.object({ arn: z.string(), state: z.object({ value: z.string(), timestamp: z.string() }) }),
  ),
});

/** The alarms that made a composite one change, of the data that its change has. */
export function triggersOf(
  reasonData: string | undefined,
): z.infer<typeof triggersSchema>['triggeringAlarms'] {
  if (reasonData === undefined) return [];
  return triggersSchema.safeParse(JSON.parse(reasonData)).data?.triggeringAlarms ?? [];
}
