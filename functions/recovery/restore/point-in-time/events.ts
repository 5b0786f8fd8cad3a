import * as z from 'zod';
import { traceparentSchema } from '../../../shared/traceparent.ts';
import { restoreIdSchema, shardNameSchema } from '../../ids.ts';
import { restoreInputSchema } from '../events.ts';

/** What passes between the states of the workflow that restores to a point in time. */

const context = { restoreId: restoreIdSchema, traceparent: traceparentSchema };
const server = z.strictObject({ host: z.string(), port: z.number().int() });

/** One shard, with all that a new cluster has to be told so that it is like its source. */
export const restoredTargetSchema = z.strictObject({
  name: shardNameSchema,
  /** The platform's database in the cluster. */
  database: z.string(),
  source: z.string(),
  identifier: z.string(),
  instance: z.string(),
  /** RFC 3339, whole seconds; null: as late as possible. */
  restoreTo: z.iso.datetime().nullable(),
  subnetGroup: z.string(),
  securityGroups: z.array(z.string()),
  parameterGroup: z.string(),
  iamAuthentication: z.boolean(),
  port: z.number().int(),
  copyTagsToSnapshot: z.boolean(),
  storageType: z.string(),
  logExports: z.array(z.string()),
  tags: z.array(z.strictObject({ Key: z.string(), Value: z.string() })),
  /** Null: its instances are not serverless. */
  scaling: z.strictObject({ minCapacity: z.number(), maxCapacity: z.number() }).nullable(),
  writer: z.strictObject({
    instanceClass: z.string(),
    parameterGroup: z.string(),
    tier: z.number().int(),
    insights: z.strictObject({ key: z.string(), days: z.number().int() }).nullable(),
  }),
});
export type RestoredTarget = z.output<typeof restoredTargetSchema>;

/** A cluster that is there, and what the shard's entry has to say for the platform to work with it. */
export const foundClusterSchema = z.strictObject({
  resourceId: z.string(),
  /** The cluster's endpoint. */
  writer: server,
  /** The instance's own. */
  instance: server,
});
export type FoundCluster = z.output<typeof foundClusterSchema>;

/** `PointInTime`, by phase. */
export const pointInTimeEventSchema = z.discriminatedUnion('phase', [
  z.strictObject({ phase: z.literal('plan'), executionArn: z.string(), input: restoreInputSchema }),
  /** The instance is available: notes where the cluster is. */
  z.strictObject({ phase: z.literal('find'), ...context, shard: restoredTargetSchema }),
  /** Has the platform work with the new clusters. */
  z.strictObject({ phase: z.literal('cut-over'), ...context }),
  z.strictObject({ phase: z.literal('complete'), ...context }),
]);

/** The result of `plan` is the whole state from there on; that of `find` is for the check. */
export const pointInTimeResultSchema = z.union([
  z.strictObject({
    ...context,
    dryRun: z.boolean(),
    cutOver: z.boolean(),
    /** Where the targets are, for the distributed Map. */
    bucket: z.string(),
    key: z.string(),
    /** Which clusters are protected against deletion once they are good, as their sources are. */
    clusters: z.array(z.strictObject({ identifier: z.string(), protect: z.boolean() })),
  }),
  foundClusterSchema,
  z.strictObject({ restoreId: restoreIdSchema }),
]);

/** `CheckPointInTime`: whether the database is there, and is a primary. */
export const checkPointInTimeEventSchema = z.strictObject({
  ...context,
  shard: shardNameSchema,
  database: z.string(),
  server,
});
export const checkPointInTimeResultSchema = z.strictObject({ relations: z.number().int() });

/** `DiscardPointInTime`: for one restore, or (by schedule) for all that are due. */
export const discardPointInTimeEventSchema = z.looseObject({
  restoreId: restoreIdSchema.optional(),
  traceparent: traceparentSchema.optional(),
});
export const discardPointInTimeResultSchema = z.strictObject({ discarded: z.array(restoreIdSchema) });
