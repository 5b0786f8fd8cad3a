import * as z from 'zod';
import { traceparentSchema } from '../../shared/traceparent.ts';
import { workObjectSchema } from '../catalog/snapshot-store.ts';
import { shardDescriptionSchema } from '../chunks/describe-shard.ts';
import { backupIdSchema, restoreIdSchema, shardNameSchema } from '../ids.ts';
import { tenantByKeySchema } from '../tenants/model.ts';
import { blockRangeSchema, storedObjectSchema } from '../workflow.ts';

/** What passes between the states of the restore workflow. */

const count = z.number().int().min(0);
const context = { restoreId: restoreIdSchema, backupId: backupIdSchema, traceparent: traceparentSchema };

/** The input of the restore state machine; what is asked for is in the restore's record. */
export const restoreInputSchema = z.strictObject({
  restoreId: restoreIdSchema,
  traceparent: traceparentSchema,
});
export type RestoreInput = z.output<typeof restoreInputSchema>;

/** `PlanRestore`: `$$.Execution.Id` and `$$.Execution.Input`. */
export const planRestoreEventSchema = z.strictObject({ executionArn: z.string(), input: restoreInputSchema });

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
  plan: z.strictObject(workObjectSchema.shape),
  /** Work items of the rows to load, and of those to compare. */
  itemsKey: z.string(),
  comparisonKey: z.string(),
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
  /** Whether the DDL is of one schema only: what refers to others is left out then. */
  oneSchema: z.boolean().optional(),
  /** Of a platform's backup the one tenant, told apart by a key, whose rows are restored. */
  tenant: tenantByKeySchema.optional(),
  /** The database as it was: version, encoding, locale. */
  server: shardDescriptionSchema.shape.server,
  extensions: shardDescriptionSchema.shape.extensions,
  /** Roles that own something or were granted something. */
  roles: z.array(z.string()),
});
export type ShardPlan = z.output<typeof shardPlanSchema>;

/** `PlanRestore`'s result is the whole state from there on. */
export const planRestoreResultSchema = z.strictObject({
  ...context,
  mode: z.enum(['new', 'replace']),
  dryRun: z.boolean(),
  safetyBackup: z.strictObject({
    /** Name of the execution, and id of the backup. */
    id: backupIdSchema,
    executionArn: z.string(),
    input: z.looseObject({}),
  }),
  bucket: z.string(),
  shards: z.array(restoreTargetSchema),
  parts: z.strictObject({ files: z.boolean(), configuration: z.boolean() }),
  /** Work items of the files; empty where none are restored. */
  filesKey: z.string(),
});

const shardContext = { ...context, dryRun: z.boolean(), shard: restoreTargetSchema };

/** `RestoreDatabase`, by phase. */
export const restoreDatabaseEventSchema = z.discriminatedUnion('phase', [
  /** Looks for conflicts; unless `dryRun`, creates the database and its DDL before the rows. */
  z.strictObject({ phase: z.literal('prepare'), ...shardContext }),
  /** Sequences, DDL after the rows, ANALYZE, and the items of the comparison. */
  z.strictObject({ phase: z.literal('finish'), ...shardContext }),
  /** Puts the new database in the original's place. */
  z.strictObject({ phase: z.literal('swap'), ...shardContext }),
  /** Removes the databases of one restore, or (by schedule) those of all that are due. */
  z.looseObject({
    phase: z.literal('discard'),
    restoreId: restoreIdSchema.optional(),
    traceparent: traceparentSchema.optional(),
  }),
]);
export const restoreDatabaseResultSchema = z.strictObject({
  /** `again`: time ran out in between; it goes on where it was when it is called again. */
  outcome: z.enum(['done', 'again']),
});

/** One item of rows to load. */
export const loadWorkSchema = z.strictObject({ item: count, objects: z.array(storedObjectSchema) });
/** One item of rows to compare: block ranges of restored tables. `table` is the oid in the manifest. */
export const compareWorkSchema = z.strictObject({
  item: count,
  ranges: z.array(z.strictObject({ table: z.number().int(), range: blockRangeSchema })),
});
export type CompareWork = z.output<typeof compareWorkSchema>;

/** `RestoreRows`, by phase: items of the distributed Maps `LoadRows` and `CompareRows`. */
export const restoreRowsEventSchema = z.discriminatedUnion('phase', [
  z.strictObject({ phase: z.literal('load'), ...shardContext, work: loadWorkSchema }),
  z.strictObject({ phase: z.literal('compare'), ...shardContext, work: compareWorkSchema }),
]);
export const restoreRowsResultSchema = z.strictObject({ item: count, rows: count });

/** `ConcludeRestore`: judged before anything is swapped, completed at the very end. */
export const concludeRestoreEventSchema = z.strictObject({
  phase: z.enum(['judge', 'complete']),
  ...context,
  mode: z.enum(['new', 'replace']),
  dryRun: z.boolean(),
  shards: z.array(restoreTargetSchema),
});
export const concludeRestoreResultSchema = z.strictObject({ restoreId: restoreIdSchema });
