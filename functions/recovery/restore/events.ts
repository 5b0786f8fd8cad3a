import * as z from 'zod';
import { backupIdSchema, restoreIdSchema, shardNameSchema, traceparentSchema } from '../ids.ts';
import { blockRangeSchema, storedObjectSchema } from '../workflow.ts';

/** What passes between the states of the restore workflow. */

const count = z.number().int().min(0);
const context = { restoreId: restoreIdSchema, backupId: backupIdSchema, traceparent: traceparentSchema };

/** The input of the restore state machine; what is asked for is in the restore's record. */
export const restoreInputSchema = z.strictObject({
  restoreId: restoreIdSchema,
  traceparent: traceparentSchema,
});

/** `PlanRestore`: `$$.Execution.Id` and `$$.Execution.Input`. */
export const planRestoreEventSchema = z.strictObject({ executionArn: z.string(), input: restoreInputSchema });

/** A work object in the backups bucket: see `objects/work-objects.ts`. */
export const workObjectSchema = z.strictObject({
  key: z.string(),
  versionId: z.string().nullable(),
  sha256: z.string(),
});

/** One shard and where it is restored to. */
export const restoreTargetSchema = z.strictObject({
  name: shardNameSchema,
  /** The platform's database in that cluster, which is left alone but for a swap. */
  original: z.string(),
  /** The database that is restored into. */
  database: z.string(),
  /** The writer. */
  host: z.string(),
  port: z.number().int(),
  epoch: z.number().int(),
  /** A `ShardPlan`. */
  plan: workObjectSchema,
});
export type RestoreTarget = z.output<typeof restoreTargetSchema>;

/** What one shard's functions read: `restores/<id>/<shard>/plan.json`. */
export const shardPlanSchema = z.strictObject({
  preData: storedObjectSchema,
  postData: storedObjectSchema,
  sequences: storedObjectSchema,
  /** The tables whose rows are restored, as the manifest describes them. */
  tables: z.array(
    z.looseObject({
      oid: z.number().int(),
      schema: z.string(),
      name: z.string(),
      columns: z.array(z.strictObject({ name: z.string(), type: z.string() })),
      rows: count,
      digest: z.string(),
    }),
  ),
  /** Whether rows of some tables only are restored: what would refer to missing rows is left out then. */
  partial: z.boolean(),
  blockBytes: z.number().int(),
});
export type ShardPlan = z.output<typeof shardPlanSchema>;

/** `PlanRestore`'s result is the whole state from there on. */
export const planRestoreResultSchema = z.strictObject({
  ...context,
  mode: z.enum(['new', 'replace']),
  dryRun: z.boolean(),
  safetyBackupId: backupIdSchema,
  bucket: z.string(),
  shards: z.array(restoreTargetSchema.extend({ itemsKey: z.string(), comparisonKey: z.string() })),
});

const shardContext = { ...context, dryRun: z.boolean(), shard: restoreTargetSchema };

/**
 * `PrepareTarget` (in the VPC): looks for conflicts; unless `dryRun`, creates the database and its DDL before the rows.
 */
export const prepareTargetEventSchema = z.looseObject(shardContext);
export const prepareTargetResultSchema = z.strictObject({ conflicts: z.array(z.string()), leftOut: count });

/** An item of the distributed Map `LoadRows`. */
export const loadWorkSchema = z.strictObject({ item: count, objects: z.array(storedObjectSchema) });
export const loadRowsEventSchema = z.looseObject({ ...shardContext, work: loadWorkSchema });
export const loadRowsResultSchema = z.strictObject({ item: count, rows: count, bytes: count });

/** `FinishTarget` (in the VPC): sequences, DDL after the rows, ANALYZE, and the items of the comparison. */
export const finishTargetEventSchema = z.looseObject({ ...shardContext, comparisonKey: z.string() });
export const finishTargetResultSchema = z.strictObject({
  /** `again`: time ran out in between; it goes on where it was. */
  outcome: z.enum(['again', 'done']),
});

/** An item of the distributed Map `CompareRows`: block ranges of restored tables. `table` is the oid in the manifest. */
export const compareWorkSchema = z.strictObject({
  item: count,
  ranges: z.array(z.strictObject({ table: z.number().int(), range: blockRangeSchema })),
});
export type CompareWork = z.output<typeof compareWorkSchema>;
export const compareRowsEventSchema = z.looseObject({ ...shardContext, work: compareWorkSchema });
export const compareRowsResultSchema = z.strictObject({ item: count, rows: count });

/** `JudgeRestore`: all that was compared against the manifest, before anything is swapped. */
export const judgeRestoreEventSchema = z.looseObject(context);
export const judgeRestoreResultSchema = z.strictObject({ identical: z.boolean() });

/** `SwapDatabase` (in the VPC, mode `replace`). */
export const swapDatabaseEventSchema = z.looseObject(shardContext);
export const swapDatabaseResultSchema = z.strictObject({ keptDatabase: z.string() });

/** `CompleteRestore`. */
export const completeRestoreEventSchema = z.looseObject(context);
export const completeRestoreResultSchema = z.strictObject({ restoreId: restoreIdSchema });

/** `DiscardRestore` (in the VPC): one restore's databases, or (by schedule, `{}`) those of all that are due. */
export const discardRestoreEventSchema = z.looseObject({
  restoreId: restoreIdSchema.optional(),
  traceparent: traceparentSchema.optional(),
});
export const discardRestoreResultSchema = z.strictObject({ discarded: z.array(restoreIdSchema) });
