import * as z from 'zod';

const instant = z.iso.datetime();
const count = z.number().min(0);
const rows = z.record(z.string(), count);

/** How far a sample may be off: nineteen of twenty are not further. */
export const sampleSchema = z.object({
  /** What part of the table's blocks was read. */
  percent: z.number(),
  /** Of all its rows and bytes together. */
  totalErrorPercent: z.number(),
  /** Of those of a slot with as many rows as the average one. */
  slotErrorPercent: z.number(),
});
export type Sample = z.output<typeof sampleSchema>;

export const tableFoundSchema = z.object({
  table: z.string(),
  kind: z.string(),
  rows: count,
  /** On disk, with indexes and TOAST. */
  bytes: count,
  loadPerSecond: count,
  sample: sampleSchema.optional(),
});
export type TableFound = z.output<typeof tableFoundSchema>;

export const tenantFoundSchema = z.object({ tenant: z.string(), rows, bytes: count, pinned: z.boolean() });
export type TenantFound = z.output<typeof tenantFoundSchema>;

/** What the counters of one instance said, to be compared with what they say the next time. */
export const activitySchema = z.object({
  instance: z.string(),
  at: instant,
  tuples: z.record(z.string(), count),
});
export type Activity = z.output<typeof activitySchema>;

/** What was found on one shard; the numbers of its slots are kept beside it. */
export const shardFoundSchema = z.object({
  run: z.string(),
  at: instant,
  durationMs: count,
  /** Which instance was counted on. */
  instance: z.string(),
  role: z.enum(['writer', 'reader']),
  /** The whole database on disk. */
  databaseBytes: count,
  kinds: z.array(z.string()),
  tables: z.array(tableFoundSchema),
  tenants: z.array(tenantFoundSchema),
  activities: z.array(activitySchema).max(16),
  /** Tables that could not be counted, and why. */
  missing: z.array(z.object({ table: z.string(), reason: z.string() })),
  parts: z.int().min(0),
});
export type ShardFound = z.output<typeof shardFoundSchema>;

/** The item of a shard: what was found last, and what failed since. */
export const shardAnalysisSchema = z.object({
  shard: z.string(),
  found: shardFoundSchema.optional(),
  error: z.object({ at: instant, message: z.string() }).optional(),
});

/** The slot of rows that lie where their tenant is pinned, whatever their keys. */
export const pinnedSlot = -1;

/** What one slot has on one shard. */
export interface SlotFound {
  slot: number;
  /** Rows of each kind, in the order of the kinds. */
  rows: number[];
  bytes: number;
  loadPerSecond: number;
}

/** All of a shard's analysis. */
export interface ShardAnalysis extends z.output<typeof shardAnalysisSchema> {
  slots: SlotFound[];
}

/** The run that is going on, or was the last. */
export const runSchema = z.object({
  run: z.string(),
  state: z.enum(['running', 'completed', 'failed']),
  startedAt: instant,
  finishedAt: instant.optional(),
});
export type Run = z.output<typeof runSchema>;
