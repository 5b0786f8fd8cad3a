import * as z from 'zod';
import { traceparentSchema } from '../shared/traceparent.ts';
import { addressSchema } from './model.ts';
import { actionSchema } from './policy.ts';

const instant = z.iso.datetime();
const bytes = z.number().int().min(0);
const text = z.string().max(500);

export const failoverKindSchema = z.enum(['failover', 'switchover']);
export type FailoverKind = z.output<typeof failoverKindSchema>;

/** Who asked: an alarm, the watchdog that runs every minute, an operator; `engine`: nobody, the engine did it by itself. */
export const triggerSchema = z.enum(['alarm', 'watchdog', 'request', 'engine']);
export type Trigger = z.output<typeof triggerSchema>;

export const failoverStateSchema = z.enum(['healthy', 'suspect', 'failing_over', 'failed_over', 'held']);
export type FailoverState = z.output<typeof failoverStateSchema>;

const targetSchema = addressSchema.extend({ instance: z.string() });

/** A failover that was decided and claimed. The workflow is given all it needs from here, so that it can be started again. */
export const operationSchema = z.object({
  /** Name of the execution: shard, epoch and, from the second attempt on, its number. */
  name: z.string(),
  requestId: z.string().optional(),
  kind: failoverKindSchema,
  trigger: triggerSchema,
  requestedBy: z.string().optional(),
  reason: text,
  action: actionSchema.exclude(['observe']),
  globalClusterIdentifier: z.string().optional(),
  clusterIdentifier: z.string(),
  database: z.string(),
  fromEpoch: z.number().int(),
  toEpoch: z.number().int(),
  /** The writer of before, where it is known which instance that was. */
  from: addressSchema.extend({ instance: z.string().optional() }),
  target: targetSchema,
  /** Whether it is the writer already, and only the shard map has to follow. */
  moved: z.literal(true).optional(),
  /** What the shard map names as the writer afterwards. */
  writer: addressSchema,
  /** Whether the writer of before was reached: how long fencing is worth trying. */
  writerReachable: z.boolean(),
  /** Bytes of log that the old writer was known to have and the target was not; null: not known. */
  lagBytes: bytes.nullable(),
  acceptedLoss: z.union([bytes, z.literal('any')]).optional(),
  detectedAt: instant,
  decidedAt: instant,
  traceparent: traceparentSchema,
});
export type Operation = z.output<typeof operationSchema>;

/** What became of a failover. */
export const outcomeSchema = z.object({
  kind: failoverKindSchema,
  trigger: triggerSchema,
  requestId: z.string().optional(),
  requestedBy: z.string().optional(),
  result: z.enum(['completed', 'failed']),
  reason: text,
  /** Why it failed. */
  error: text.optional(),
  fromEpoch: z.number().int(),
  toEpoch: z.number().int(),
  from: z.string().optional(),
  target: z.string().optional(),
  timeline: z.object({
    detectedAt: instant,
    decidedAt: instant.optional(),
    promotedAt: instant.optional(),
    firstWriteAt: instant.optional(),
    concludedAt: instant,
  }),
  rtoMs: z.number().int().min(0).nullable(),
  rpoBytes: bytes.nullable(),
});
export type Outcome = z.output<typeof outcomeSchema>;

/** What an operation is, in few words. */
export const briefSchema = z.object({
  kind: failoverKindSchema,
  trigger: triggerSchema,
  fromEpoch: z.number().int(),
  toEpoch: z.number().int(),
  from: z.string().optional(),
  target: z.string(),
});

/** Something that the platform has to be told of this shard, and has not been yet. */
export const noticeSchema = z.object({
  event: z.enum(['suspected', 'recovered', 'started', 'completed', 'held', 'paused', 'resumed']),
  at: instant,
  reason: text,
  by: z.string().optional(),
  traceparent: traceparentSchema,
  /** Of what was started, completed, or could not be finished. */
  about: briefSchema.optional(),
  rtoMs: z.number().int().min(0).nullable().optional(),
  rpoBytes: bytes.nullable().optional(),
});
export type Notice = z.output<typeof noticeSchema>;

/** Transitions and notices that are kept; the oldest are forgotten. */
export const historyLength = 20;

/** How failovers of a shard stand: the item `FAILOVER/<shard>`. Every write names the version that it has read. */
export const failoverRecordSchema = z.object({
  shard: z.string(),
  /** 0: nothing was written yet. */
  version: z.number().int().min(0),
  state: failoverStateSchema,
  since: instant,
  reason: text.optional(),
  paused: z.object({ since: instant, by: z.string(), reason: text }).optional(),
  cooldownUntil: instant.optional(),
  /** Which instance was the writer when the shard was last well; another one by itself means that the engine acted. */
  knownWriter: z.object({ instance: z.string(), epoch: z.number().int() }).optional(),
  /** Present while it is being acted on, and while what it left is not resolved. */
  operation: operationSchema.optional(),
  /** Attempts to leave an epoch: all there were, which name executions, and those that nobody asked for since it was last well. */
  attempts: z
    .object({ epoch: z.number().int(), count: z.number().int(), automatic: z.number().int() })
    .optional(),
  last: outcomeSchema.optional(),
  transitions: z
    .array(z.object({ at: instant, to: failoverStateSchema, reason: text.optional() }))
    .max(historyLength)
    .default([]),
  untold: z.array(noticeSchema).max(historyLength).default([]),
});
export type FailoverRecord = z.output<typeof failoverRecordSchema>;

/** The record of a shard of which nothing was written yet. */
export const newRecord = (shard: string, at: string): FailoverRecord => ({
  shard,
  version: 0,
  state: 'healthy',
  since: at,
  transitions: [],
  untold: [],
});
