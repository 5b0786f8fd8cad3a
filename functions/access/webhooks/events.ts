import * as z from 'zod';
import { traceparentSchema } from '../../shared/traceparent.ts';
import { tenantIdSchema } from '../tenants/tenant.ts';
import { eventIdSchema, webhookIdSchema } from './ids.ts';

const common = {
  version: z.literal(1).meta({ description: 'Changes when a field changes its meaning or is removed.' }),
  at: z.iso.datetime(),
  traceparent: traceparentSchema,
};

/** The `source` of events about alarms on the platform's bus. */
export const alarmEventSource = 'mainstay.monitoring';

export const alarmStateSchema = z.enum(['OK', 'ALARM', 'INSUFFICIENT_DATA']);

/** What is told of alarms, by `detail-type`. */
export const alarmEvents = {
  'alarm.changed': z.strictObject({
    ...common,
    /** Of CloudWatch's event: the same however often this one is told. */
    eventId: eventIdSchema,
    name: z.string(),
    description: z.string().nullable(),
    state: alarmStateSchema,
    previousState: alarmStateSchema.nullable(),
    reason: z.string(),
    since: z.iso.datetime(),
    runbook: z.string().nullable(),
  }),
};
export type AlarmChanged = z.output<(typeof alarmEvents)['alarm.changed']>;

/** What is told of webhooks, by `detail-type`; the source is that of the access capability. */
export const webhookEvents = {
  'webhook.disabled': z.strictObject({
    ...common,
    webhookId: webhookIdSchema,
    tenantId: tenantIdSchema.optional().meta({ description: 'Absent for webhooks of the platform.' }),
    /** `gone`: it answered 410. `failing`: nothing went well for too long. */
    reason: z.enum(['gone', 'failing']),
    message: z.string(),
  }),
};
export type WebhookDisabled = z.output<(typeof webhookEvents)['webhook.disabled']>;

/** An event of Mainstay as the platform's bus gives it to rules. */
export const platformEventSchema = z.looseObject({
  id: eventIdSchema,
  source: z.string().startsWith('mainstay.'),
  'detail-type': z.string().regex(/^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/),
  time: z.iso.datetime(),
  detail: z.record(z.string(), z.unknown()),
});
export type PlatformEvent = z.output<typeof platformEventSchema>;

/** CloudWatch's report of an alarm, from the account's default bus. */
export const alarmReportSchema = z.looseObject({
  id: eventIdSchema,
  source: z.literal('aws.cloudwatch'),
  'detail-type': z.literal('CloudWatch Alarm State Change'),
  time: z.iso.datetime(),
  detail: z.looseObject({
    alarmName: z.string(),
    state: z.looseObject({
      value: alarmStateSchema,
      reason: z.string().default(''),
      timestamp: z.string().optional(),
    }),
    previousState: z.looseObject({ value: alarmStateSchema.optional() }).optional(),
    configuration: z.looseObject({ description: z.string().optional() }).optional(),
  }),
});
export type AlarmReport = z.output<typeof alarmReportSchema>;

/** By the clock: has runs started whose start was cut short. */
const startQueuedSchema = z.strictObject({ phase: z.literal('start-queued') });

export const dispatchEventSchema = z.union([alarmReportSchema, platformEventSchema, startQueuedSchema]);
