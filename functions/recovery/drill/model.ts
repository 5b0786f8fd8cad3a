import * as z from 'zod';
import { backupIdSchema, operationIdSchema, restoreIdSchema, shardNameSchema } from '../ids.ts';
import { restoreKeySchema } from '../keys/key-source.ts';
import { failureSchema, workStateSchema } from '../model.ts';
import { drillIdSchema } from './ids.ts';

const instant = z.iso.datetime();
const count = z.number().int().min(0);

export const restorePointSchema = z.union([z.enum(['latest', 'random']), backupIdSchema]).meta({
  title: 'Restore point',
  description:
    '`latest`: the newest complete backup. `random`: any complete backup, each as likely as the other. Otherwise the id of a backup.',
});

export type RestorePoint = z.output<typeof restorePointSchema>;

export const drillStageSchema = z
  .enum(['choice', 'verification', 'restore', 'checks', 'clean-up', 'done'])
  .meta({ title: 'Stage of a drill' });
export type DrillStage = z.output<typeof drillStageSchema>;

export const checkKindSchema = z.enum(['foreign-keys', 'indexes', 'sequences', 'assertions']);
export type CheckKind = z.output<typeof checkKindSchema>;

export const drillFindingSchema = z
  .strictObject({
    shard: shardNameSchema,
    check: checkKindSchema,
    object: z
      .string()
      .max(400)
      .meta({ description: 'A constraint, an index, a sequence, or an assertion’s name.' }),
    problem: z.string().max(600),
    accepted: z
      .boolean()
      .meta({ description: 'It is listed in `backup.drill.accepted`: it does not fail the drill.' }),
  })
  .meta({ title: 'Finding of a drill' });
export type DrillFinding = z.output<typeof drillFindingSchema>;

export const drillCheckSchema = z
  .strictObject({
    shard: shardNameSchema,
    check: checkKindSchema,
    checked: count.meta({ description: 'How many foreign keys, indexes, sequences or assertions.' }),
    findings: count,
    durationMs: count,
  })
  .meta({ title: 'Check of a drill' });

/** What a shard would lose: the age of its newest backup when the drill began. */
export const shardRpoSchema = z.strictObject({
  shard: shardNameSchema,
  backupId: backupIdSchema.nullable().meta({ description: '`null`: the shard has no complete backup.' }),
  snapshotAt: instant.nullable(),
  rpoMs: count.nullable(),
});
export type ShardRpo = z.output<typeof shardRpoSchema>;

/** Whether the stored objects were read by themselves before they were restored. */
export const reuseSchema = z.strictObject({
  reused: z.boolean().meta({
    description: 'The earlier verification still holds: every object is provably the one that was verified.',
  }),
  reason: z.string().max(400).meta({ description: 'Why it holds, or why the hashes were compared anew.' }),
  objects: count.meta({ description: 'Objects of which S3 was asked.' }),
  operationId: operationIdSchema.nullable().meta({ description: 'The verification that the drill has run.' }),
});
export type Reuse = z.output<typeof reuseSchema>;

export const drillSchema = z
  .strictObject({
    id: drillIdSchema,
    state: workStateSchema,
    trigger: z.enum(['api', 'schedule']),
    restorePoint: restorePointSchema,
    keys: restoreKeySchema,
    reuseVerification: z.boolean(),
    backupId: backupIdSchema.nullable().meta({ description: 'The backup that was chosen.' }),
    restoreId: restoreIdSchema.nullable(),
    shards: z.array(shardNameSchema).nullable(),
    requestedBy: z.string().nullable(),
    createdAt: instant,
    startedAt: instant.nullable(),
    finishedAt: instant.nullable(),
    durationMs: count.nullable(),
    cancelRequested: z.boolean(),
    progress: z.strictObject({
      stage: drillStageSchema,
      objectsDone: count,
      objectsTotal: count.nullable(),
      bytesRestored: count,
      bytesTotal: count.nullable(),
      checksDone: count.meta({ description: 'Checks that are done, of four for each shard.' }),
      checksTotal: count.nullable(),
    }),
    rpoMs: count.nullable().meta({
      description: 'Age of the newest backup when the drill began; of several shards, the worst.',
    }),
    rtoMs: count
      .nullable()
      .meta({ description: 'From the start of the restore to the end of the last check.' }),
    verification: reuseSchema.nullable(),
    checks: z.array(drillCheckSchema),
    findings: z.array(drillFindingSchema).meta({ description: 'At most 100 are listed.' }),
    findingsTotal: count,
    report: z
      .strictObject({
        path: z.string(),
        sha256: z.string().meta({ description: 'Of the JSON report’s bytes.' }),
        markdownSha256: z.string(),
        key: z.string().nullable().meta({
          description:
            'The object in the backups bucket; `null` where it could not be stored. Beside it: `report.md`.',
        }),
      })
      .nullable(),
    error: failureSchema.nullable(),
  })
  .meta({ title: 'Drill' });
export type Drill = z.output<typeof drillSchema>;
