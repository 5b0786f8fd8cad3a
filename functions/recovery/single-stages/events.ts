import * as z from 'zod';
import { traceparentSchema } from '../../shared/traceparent.ts';
import { backupIdSchema, operationIdSchema } from '../ids.ts';

/** What a stage works on. */
export const sourceSchema = z.union([
  z.strictObject({ key: z.string(), versionId: z.string().nullable() }),
  z.strictObject({ backupId: backupIdSchema, object: z.string() }),
]);
export type Source = z.output<typeof sourceSchema>;

export const stageSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('encrypt') }),
  z.strictObject({ kind: z.literal('decrypt') }),
  z.strictObject({ kind: z.literal('verify-hash') }),
  z.strictObject({
    kind: z.literal('compress'),
    format: z.enum(['zstd', 'gzip']),
    level: z.number().int().min(1).max(19),
  }),
]);
export type StageWork = z.output<typeof stageSchema>;

/** The input of the stage state machine. The execution's name is the operation's id. */
export const stageInputSchema = z.strictObject({
  traceparent: traceparentSchema,
  source: sourceSchema,
  stage: stageSchema,
});
export type StageInput = z.output<typeof stageInputSchema>;

/** `StageObject`: from the context object, `$$.Execution.Name`, `.Id` and `.Input`. */
export const stageObjectEventSchema = z.strictObject({
  operationId: operationIdSchema,
  executionArn: z.string(),
  input: stageInputSchema,
});
export const stageObjectResultSchema = z.strictObject({ operationId: operationIdSchema });
