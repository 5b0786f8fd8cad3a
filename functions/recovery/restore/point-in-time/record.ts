import * as z from 'zod';
import { shardNameSchema } from '../../ids.ts';
import { restoreStageSchema } from '../model.ts';

/** What a shard's entry says of its cluster. */
export const placeSchema = z.object({
  clusterIdentifier: z.string(),
  resourceId: z.string(),
  writer: z.object({ host: z.string(), port: z.number().int() }),
});
export type Place = z.output<typeof placeSchema>;

/** How far the restore of one shard's cluster is. */
export const restoredClusterSchema = z.object({
  shard: shardNameSchema,
  stage: restoreStageSchema,
  /** What it is restored from: the shard's cluster when the restore was planned. */
  source: placeSchema,
  epoch: z.number().int(),
  identifier: z.string(),
  instance: z.string(),
  /** The times that the source could be restored to, RFC 3339. */
  earliest: z.string(),
  latest: z.string(),
  /** Known once it is available. */
  resourceId: z.string().optional(),
  writer: placeSchema.shape.writer.optional(),
  /** Tables and the like of the platform's database. */
  relations: z.number().int().optional(),
  cutOverAt: z.string().optional(),
  /** Set when it has been removed, or is the operator's or the platform's now. */
  settled: z.boolean().default(false),
});
export type RestoredCluster = z.output<typeof restoredClusterSchema>;
