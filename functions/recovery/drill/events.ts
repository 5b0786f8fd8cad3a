import * as z from 'zod';
import { traceparentSchema } from '../../shared/traceparent.ts';
import { backupIdSchema, shardNameSchema } from '../ids.ts';
import { caughtErrorSchema, executionStatusEventSchema } from '../workflow.ts';
import { assertionsSchema } from './assertion.ts';
import { drillIdSchema } from './ids.ts';

/** What passes between the states of the drill workflow. */

const executionName = z.string().min(1).max(200);

/** The input of the drill state machine; what the API was asked for is in the drill's record. */
export const drillInputSchema = z.strictObject({
  traceparent: traceparentSchema.optional(),
  /** A schedule says here what it wants. */
  restorePoint: z.enum(['latest', 'random']).optional(),
});
export type DrillInput = z.output<typeof drillInputSchema>;

/** `PlanDrill`: from the context object, and how long a drill may take. */
export const planDrillEventSchema = z.strictObject({
  executionName,
  executionArn: z.string(),
  startedAt: z.iso.datetime(),
  input: drillInputSchema,
  timeoutSeconds: z.number().int().min(1),
});

/** An execution that the drill starts and waits for. */
const nestedSchema = z.strictObject({
  name: drillIdSchema,
  executionArn: z.string(),
  input: z.looseObject({}),
});

/** `PlanDrill`'s result is the whole state from there on. */
export const planDrillResultSchema = z.strictObject({
  drillId: drillIdSchema,
  traceparent: traceparentSchema,
  backupId: backupIdSchema,
  shards: z.array(shardNameSchema).min(1),
  /** Whether the hashes of the stored objects are compared before they are restored. */
  verify: z.boolean(),
  verification: nestedSchema,
  restore: nestedSchema,
});

/** `CheckDatabase`: one shard's scratch database. */
export const checkDrillEventSchema = z.strictObject({
  drillId: drillIdSchema,
  traceparent: traceparentSchema,
  shard: shardNameSchema,
  assertions: assertionsSchema,
  accepted: z.array(z.string()),
  statementTimeoutSeconds: z.number().int().min(1).max(600),
});
export const checkDrillResultSchema = z.strictObject({
  /** `again`: time ran out in between; it goes on where it was when it is called again. */
  outcome: z.enum(['done', 'again']),
});

/** `input` is the execution's; whatever it is, it names the trace at most. */
const ended = { executionName, input: z.unknown() };

/** `conclude-drill`, by phase, and the report of EventBridge. */
export const concludeDrillEventSchema = z.union([
  /** After the verification: throws when it has found something. */
  z.strictObject({ phase: z.literal('verified'), drillId: drillIdSchema, traceparent: traceparentSchema }),
  /** Has the scratch databases removed from now on; ends the restore where it still runs. */
  z.strictObject({ phase: z.literal('clean'), ...ended }),
  /** The end of a drill that came to it. `removed`: whether the scratch databases are gone. */
  z.strictObject({ phase: z.literal('conclude'), ...ended, removed: z.boolean() }),
  z.strictObject({
    phase: z.literal('fail'),
    ...ended,
    removed: z.boolean(),
    error: caughtErrorSchema,
  }),
  /** By schedule: how long ago the latest drill was. */
  z.strictObject({ phase: z.literal('watch') }),
  executionStatusEventSchema,
]);
export const concludeDrillResultSchema = z.strictObject({
  drillId: drillIdSchema.nullable(),
  outcome: z.enum(['completed', 'failed', 'canceled', 'nothing-to-do']),
  traceparent: traceparentSchema,
});
