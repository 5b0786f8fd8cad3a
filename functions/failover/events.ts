import * as z from 'zod';
import { traceparentSchema } from '../shared/traceparent.ts';
import { alarmEventSchema } from './alarm-event.ts';
import { refusals } from './decision-model.ts';
import { failoverKindSchema } from './record.ts';

const reason = z.string().min(1).max(400);
const asked = { traceparent: traceparentSchema, requestedBy: z.string(), reason };

export const watchdogEventSchema = z.strictObject({ watchdog: z.literal(true) });

/** What the API hands on, once the request has been let in. */
export const commandSchema = z.discriminatedUnion('command', [
  z.strictObject({
    command: z.literal('failover'),
    ...asked,
    requestId: z.string(),
    shard: z.string(),
    kind: failoverKindSchema,
    target: z.string().optional(),
    acceptedLoss: z.union([z.number().int().min(0), z.literal('any')]).optional(),
    dryRun: z.boolean(),
  }),
  z.strictObject({
    command: z.enum(['pause', 'resume']),
    ...asked,
    /** Default: all. */
    shard: z.string().optional(),
  }),
]);
export type Command = z.output<typeof commandSchema>;

/** An alarm as CloudWatch sends it, the clock, or a command of the API; anything else is refused. */
export const failoverEventSchema = z.union([alarmEventSchema, watchdogEventSchema, commandSchema]);

/** What was decided for one shard. */
export const decidedSchema = z.object({
  shard: z.string(),
  outcome: z.enum(['started', 'would-start', 'refused', 'nothing-to-do']),
  code: z.enum(refusals).optional(),
  reason: z.string().optional(),
  target: z.string().optional(),
  lagBytes: z.number().int().min(0).nullable().optional(),
  epoch: z.number().int().optional(),
});
export type Decided = z.output<typeof decidedSchema>;

export const failoverResultSchema = z.object({ shards: z.array(decidedSchema) });
