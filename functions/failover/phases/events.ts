import * as z from 'zod';
import { traceparentSchema } from '../../shared/traceparent.ts';
import { examinationSchema } from '../examination.ts';
import { addressSchema, instanceSchema } from '../model.ts';
import { operationSchema } from '../record.ts';

const where = { shard: z.string(), traceparent: traceparentSchema };

/** Input of the workflow: the operation as it was claimed. Its execution is called `operation.name`. */
export const failoverInputSchema = z.strictObject({ ...where, operation: operationSchema });
export type FailoverInput = z.output<typeof failoverInputSchema>;

/** What `operate` is asked: to look, from where databases are reached, or to do one step of an operation. */
export const operateEventSchema = z.discriminatedUnion('phase', [
  z.strictObject({
    phase: z.literal('examine'),
    ...where,
    database: z.string(),
    epoch: z.number().int(),
    writer: addressSchema,
    instances: z.array(instanceSchema).max(16),
    timeoutMs: z.number().int().min(100).max(20_000),
  }),
  z.strictObject({ phase: z.literal('fence'), ...where, operation: operationSchema }),
  z.strictObject({ phase: z.literal('promote'), ...where, operation: operationSchema }),
  z.strictObject({
    phase: z.literal('confirm'),
    ...where,
    operation: operationSchema,
    promotedAt: z.iso.datetime().optional(),
  }),
  /** Fences the old writer after it has been replaced, as soon as it can be reached. */
  z.strictObject({ phase: z.literal('fence-old'), ...where, operation: operationSchema }),
  /** Fences an instance that takes writes beside the shard's writer. */
  z.strictObject({
    phase: z.literal('fence-other'),
    ...where,
    database: z.string(),
    epoch: z.number().int(),
    instance: addressSchema.extend({ id: z.string() }),
  }),
]);
export type OperateEvent = z.output<typeof operateEventSchema>;

export const fenceResultSchema = z.object({
  /**
   * `fenced`: its sessions begin read-only, and those that there were are ended. `cut`: they are ended. `standby`: it is no writer
   * any more. `unreachable`: nothing could be done. `engine`: the engine does it.
   * `superseded`: the shard has another writer by now.
   */
  fenced: z.enum(['fenced', 'cut', 'standby', 'unreachable', 'engine', 'superseded']),
  ended: z.number().int().min(0),
});
export type FenceResult = z.output<typeof fenceResultSchema>;

export const operateResultSchema = z.union([
  examinationSchema,
  fenceResultSchema,
  z.object({ promotedAt: z.iso.datetime() }),
  z.object({ firstWriteAt: z.iso.datetime() }),
]);
