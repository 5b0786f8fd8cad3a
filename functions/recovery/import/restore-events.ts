import * as z from 'zod';
import { traceparentSchema } from '../../shared/traceparent.ts';
import { backupIdSchema, restoreIdSchema } from '../ids.ts';
import { restoreInputSchema } from '../restore/events.ts';
import { storedObjectSchema } from '../workflow.ts';

/** What passes between the states of the workflow that restores an import. */

const context = { restoreId: restoreIdSchema, backupId: backupIdSchema, traceparent: traceparentSchema };

/** Where the dump is put together: a multipart upload; `null` where it is only looked. */
const targetSchema = z.strictObject({ key: z.string(), uploadId: z.string() }).nullable();

/** One item of the distributed Map. */
export const restoreSegmentSchema = z.strictObject({
  index: z.number().int().min(0),
  object: storedObjectSchema,
  /** Of the content, hex. */
  sha256: z.string(),
});
export type RestoreSegment = z.output<typeof restoreSegmentSchema>;

export const restoreImportEventSchema = z.discriminatedUnion('phase', [
  z.strictObject({ phase: z.literal('plan'), executionArn: z.string(), input: restoreInputSchema }),
  z.strictObject({
    phase: z.literal('segment'),
    ...context,
    target: targetSchema,
    segment: restoreSegmentSchema,
  }),
  z.strictObject({ phase: z.literal('complete'), ...context, target: targetSchema }),
]);

/** Of `plan`, and the whole state from there on; the other two answer the same without the plan. */
export const plannedImportRestoreSchema = z.strictObject({
  ...context,
  dryRun: z.boolean(),
  bucket: z.string(),
  /** The work items, which the distributed Map reads. */
  key: z.string(),
  target: targetSchema,
});
export const restoreImportResultSchema = z.union([
  plannedImportRestoreSchema,
  z.strictObject({ restoreId: restoreIdSchema }),
]);
