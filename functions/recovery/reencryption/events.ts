import * as z from 'zod';
import { traceparentSchema } from '../../shared/traceparent.ts';
import { backupIdSchema, operationIdSchema } from '../ids.ts';
import { readingSourceSchema } from '../keys/key-source.ts';
import { storedObjectSchema } from '../workflow.ts';
import { reencryptionResultSchema } from './model.ts';

/** What passes between the states of the workflow that re-encrypts a backup. */

const count = z.number().int().min(0);
const context = { backupId: backupIdSchema, operationId: operationIdSchema, traceparent: traceparentSchema };

/** The input of the state machine. The execution's name is the operation's id. */
export const reencryptionInputSchema = z.strictObject({
  traceparent: traceparentSchema,
  backupId: backupIdSchema,
  /** What the backup is opened with. */
  keys: readingSourceSchema,
  /** Of an adoption: the backup as the vault has it, which becomes `backupId` here. */
  adopt: backupIdSchema.optional(),
});
export type ReencryptionInput = z.output<typeof reencryptionInputSchema>;

/** A bounded number of objects; `first` is the position of the first of them in the backup. */
export const reencryptionWorkSchema = z.strictObject({
  item: count,
  first: count,
  objects: z.array(storedObjectSchema),
});
export type ReencryptionWork = z.output<typeof reencryptionWorkSchema>;

/** `ReencryptObjects`: `work` is the distributed Map's item. */
export const reencryptObjectsEventSchema = z.strictObject({
  ...context,
  keys: readingSourceSchema,
  work: reencryptionWorkSchema,
});
export const reencryptObjectsResultSchema = z.strictObject({
  item: count,
  objects: count,
  storedBytes: count,
});

/** `PlanReencryption`, from the context object; and `FinishReencryption`. */
export const reencryptBackupEventSchema = z.discriminatedUnion('phase', [
  z.strictObject({
    phase: z.literal('plan'),
    operationId: operationIdSchema,
    executionArn: z.string(),
    input: reencryptionInputSchema,
  }),
  z.strictObject({ phase: z.literal('finish'), ...context, keys: readingSourceSchema }),
]);

/** The state from `PlanReencryption` on, where `bucket` and `key` are the distributed Map's `ItemReader`; and the end. */
export const reencryptBackupResultSchema = z.union([
  z.strictObject({ ...context, keys: readingSourceSchema, bucket: z.string(), key: z.string() }),
  z.strictObject({ operationId: operationIdSchema, ...reencryptionResultSchema.shape }),
]);
