import * as z from 'zod';
import { backupIdSchema, shardNameSchema } from '../ids.ts';
import { restoreKeySchema } from '../keys/key-source.ts';
import { failureSchema, workStateSchema } from '../model.ts';
import { drillIdSchema } from './ids.ts';
import {
  checkKindSchema,
  drillFindingSchema,
  drillStageSchema,
  restorePointSchema,
  reuseSchema,
  shardRpoSchema,
} from './model.ts';

const count = z.number().int().min(0);

/** A drill as the catalogue keeps it; how far its restore and its checks are is merged when it is read. */
export const drillRecordSchema = z.object({
  id: drillIdSchema,
  state: workStateSchema,
  trigger: z.enum(['api', 'schedule']),
  restorePoint: restorePointSchema,
  keys: restoreKeySchema,
  reuseVerification: z.boolean(),
  /** The shards that were asked for; absent: all of the backup. */
  wantedShards: z.array(shardNameSchema).optional(),
  requestedBy: z.string().optional(),
  traceparent: z.string(),
  executionArn: z.string().optional(),
  createdAt: z.string(),
  startedAt: z.string().optional(),
  finishedAt: z.string().optional(),
  cancelRequested: z.boolean(),
  stage: drillStageSchema.default('choice'),
  backupId: backupIdSchema.optional(),
  backupCreatedAt: z.string().optional(),
  shards: z.array(shardNameSchema).optional(),
  rpo: z.object({ shards: z.array(shardRpoSchema), rpoMs: count.nullable() }).optional(),
  reuse: reuseSchema.optional(),
  restoreRequestedAt: z.string().optional(),
  rtoMs: count.optional(),
  report: z.object({ sha256: z.string(), markdownSha256: z.string(), key: z.string().nullable() }).optional(),
  error: failureSchema.optional(),
});
export type DrillRecord = z.output<typeof drillRecordSchema>;

/** What is known of a drill when it is asked for. */
export type NewDrill = Pick<
  DrillRecord,
  | 'id'
  | 'trigger'
  | 'restorePoint'
  | 'keys'
  | 'reuseVerification'
  | 'wantedShards'
  | 'requestedBy'
  | 'traceparent'
  | 'createdAt'
>;

/** What the choice of a restore point leaves. */
export type ChosenPoint = Required<
  Pick<DrillRecord, 'backupId' | 'backupCreatedAt' | 'shards' | 'rpo' | 'reuse'>
> &
  Pick<DrillRecord, 'restoreRequestedAt'>;

/** How far one kind of check of one shard is. A call that goes on begins at `done`. */
export const checkNoteSchema = z.object({
  shard: shardNameSchema,
  check: checkKindSchema,
  done: count,
  findings: z.array(drillFindingSchema),
  findingsTotal: count,
  /** Those that fail the drill. */
  refused: count,
  durationMs: count,
  finishedAt: z.string().optional(),
});
export type CheckNote = z.output<typeof checkNoteSchema>;

/** The report as it is given out. */
export const storedReportSchema = z.object({ json: z.string(), markdown: z.string() });
export type StoredReport = z.output<typeof storedReportSchema>;
