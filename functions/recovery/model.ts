import * as z from 'zod';
import { backupIdSchema, operationIdSchema, shardNameSchema } from './ids.ts';
import { importSchema } from './import/model.ts';
import { readingSourceSchema } from './keys/key-source.ts';
import { reencryptionResultSchema } from './reencryption/model.ts';
import { stageResultSchema } from './single-stages/model.ts';
import { tenantSchema } from './tenants/model.ts';

const instant = z.iso.datetime();
const count = z.number().int().min(0);

export const workStateSchema = z
  .enum(['queued', 'running', 'completed', 'failed', 'canceled'])
  .meta({ title: 'State', description: 'The last three are final.' });

export const backupStateSchema = z.enum([...workStateSchema.options, 'expired', 'deleting']).meta({
  title: 'State of a backup',
  description:
    '`expired`: it is kept no longer; of its objects those remain that newer backups refer to. `deleting`: its objects are being removed; afterwards it is unknown.',
});
export type BackupState = z.output<typeof backupStateSchema>;

export const backupTypeSchema = z.enum(['full', 'incremental', 'import']).meta({
  title: 'Type of a backup',
  description:
    '`full`: depends on no other backup. `incremental`: of at least one shard, objects of earlier backups stand for what has not changed; until it is planned: it was asked for. `import`: a dump that was made elsewhere.',
});
export type BackupType = z.output<typeof backupTypeSchema>;

export const componentSchema = z.enum(['database', 'files', 'configuration']).meta({
  title: 'Component',
  description:
    '`files`: the objects of the assets bucket. `configuration`: parameters, the deployment’s configuration and the platform’s own tables, without secrets.',
});
export type Component = z.output<typeof componentSchema>;

export const stageSchema = z
  .enum(['planning', 'snapshot', 'schema', 'chunks', 'sequences', 'committing', 'done'])
  .meta({
    title: 'Stage',
    description: 'How far the work has come; of several shards, the one furthest behind.',
  });
export type Stage = z.output<typeof stageSchema>;

export const failureSchema = z
  .strictObject({
    code: z
      .string()
      .meta({ description: 'The kind of failure, stable.', examples: ['IncompleteBackupError'] }),
    message: z.string().meta({ description: 'The cause, and what would fix it where that is known.' }),
  })
  .meta({ title: 'Failure' });
export type Failure = z.output<typeof failureSchema>;

export const progressSchema = z
  .strictObject({
    stage: stageSchema,
    chunksDone: count.meta({ description: 'Chunks stored and read back.' }),
    chunksStored: count.meta({ description: 'Chunks stored, read back or not yet.' }),
    chunksTotal: count.nullable().meta({ description: 'Unknown until every shard is planned.' }),
    bytesRead: count.meta({ description: 'Bytes of COPY text read from the databases.' }),
    bytesStored: count.meta({ description: 'Bytes written to the store: compressed and encrypted.' }),
    bytesPerSecond: z
      .number()
      .min(0)
      .meta({ description: 'Bytes read, over the time since the first chunk began.' }),
    ratio: z.number().min(0).nullable().meta({ description: 'Bytes read for each byte stored.' }),
    etaMs: count
      .nullable()
      .meta({ description: 'Estimated time to the end; unknown until chunks are done.' }),
  })
  .meta({ title: 'Progress' });
export type Progress = z.output<typeof progressSchema>;

export const stageTotalsSchema = z
  .strictObject({
    dump: z.strictObject({ bytes: count, durationMs: count }),
    compress: z.strictObject({ bytes: count, durationMs: count }),
    encrypt: z.strictObject({ bytes: count, durationMs: count }),
    hash: z.strictObject({ bytes: count, durationMs: count }),
    store: z.strictObject({ bytes: count, durationMs: count }),
  })
  .meta({
    title: 'Stages',
    description: 'Bytes that left each stage and the time spent in it, summed over chunks.',
  });
export type StageTotals = z.output<typeof stageTotalsSchema>;

export const shardBackupSchema = z
  .strictObject({
    shard: shardNameSchema,
    stage: stageSchema,
    snapshotAt: instant.nullable().meta({ description: 'The one instant that this shard is backed up at.' }),
    relations: count.nullable(),
    chunksTotal: count.nullable(),
    chunksDone: count,
    rows: count,
    bytesRead: count,
    bytesStored: count,
    stages: stageTotalsSchema,
  })
  .meta({ title: 'Backup of a shard' });
export type ShardBackup = z.output<typeof shardBackupSchema>;

export const filesBackupSchema = z
  .strictObject({
    stage: z.enum(['listing', 'copying', 'done']),
    bucket: z.string().nullable().meta({ description: 'Whose objects’ current versions are backed up.' }),
    listedAt: instant.nullable().meta({ description: 'When the listing of the bucket began.' }),
    filesListed: count,
    bytesListed: count,
    filesKept: count.meta({
      description: 'Files that are as they were in an earlier backup, and referred to.',
    }),
    filesCopied: count.meta({
      description: 'Files stored and read back; a segment of a large one counts as one.',
    }),
    itemsTotal: count.nullable().meta({ description: 'Unknown until all files are listed.' }),
    itemsDone: count,
    bytesRead: count,
    bytesStored: count,
    stages: stageTotalsSchema,
  })
  .meta({ title: 'Backup of files' });
export type FilesBackup = z.output<typeof filesBackupSchema>;

export const configurationBackupSchema = z
  .strictObject({
    at: instant.nullable().meta({ description: 'When it was read.' }),
    verified: z.boolean(),
    bytes: count,
    bytesStored: count,
    redacted: count.meta({ description: 'Values that were left out because they are or look like secrets.' }),
  })
  .meta({ title: 'Backup of the configuration' });
export type ConfigurationBackup = z.output<typeof configurationBackupSchema>;

export const leavesOutSchema = z
  .strictObject({
    shard: shardNameSchema,
    object: z.string().meta({ examples: ['constraint orders_country_fkey on table acme.orders'] }),
    reason: z.string(),
  })
  .meta({ title: 'What a restore leaves out' });

const backupSummary = {
  id: backupIdSchema,
  state: backupStateSchema,
  type: backupTypeSchema,
  components: z.array(componentSchema),
  references: z.array(backupIdSchema).meta({
    description: 'Earlier backups whose objects this one refers to. They are not deleted before it.',
  }),
  dependents: z.array(backupIdSchema).meta({ description: 'Backups that refer to objects of this one.' }),
  keepUntil: instant.nullable().meta({
    description:
      'It does not expire before; the rule may hold it longer. `null`: until it is deleted, or not settled while it is at work.',
  }),
  lockedUntil: instant
    .nullable()
    .meta({ description: 'Until then Object Lock keeps its objects from being deleted.' }),
  trigger: z.enum(['api', 'schedule', 'restore']).meta({
    description: '`restore`: taken of what a restore in mode `replace` was about to replace.',
  }),
  shards: z.array(shardNameSchema),
  tenant: tenantSchema.nullable().meta({ description: '`null`: it is of the whole platform.' }),
  createdAt: instant,
  startedAt: instant.nullable(),
  finishedAt: instant.nullable(),
  durationMs: count.nullable(),
  sizeBytes: count.nullable().meta({ description: 'Bytes stored; known when the backup has ended.' }),
  referencedBytes: count.nullable().meta({
    description:
      'Bytes of earlier backups’ objects that stand for what has not changed; known when the backup is complete.',
  }),
  rows: count.nullable(),
  verified: z.boolean().meta({
    description:
      'Every object was read back: its hash, decryption, decompression and rows agree. False once a verification has found otherwise.',
  }),
  verification: z
    .strictObject({ operationId: operationIdSchema, state: workStateSchema, at: instant, findings: count })
    .nullable()
    .meta({ description: 'The latest check of the stored backup after its completion.' }),
  import: importSchema.nullable().meta({ description: 'Of type `import`: what was uploaded.' }),
  adoptedFrom: backupIdSchema.nullable().meta({
    description:
      'Another deployment has taken it under this id; it was adopted from the copies in a vault. `createdAt` is when it was taken there.',
  }),
  error: failureSchema.nullable(),
};

export const backupSummarySchema = z.strictObject(backupSummary).meta({ title: 'Backup (in a list)' });
export type BackupSummary = z.output<typeof backupSummarySchema>;

export const backupSchema = z
  .strictObject({
    ...backupSummary,
    requestedBy: z.string().nullable().meta({ description: 'Id of the API key that asked for it.' }),
    cancelRequested: z.boolean(),
    progress: progressSchema,
    shardDetails: z.array(shardBackupSchema),
    files: filesBackupSchema.nullable(),
    configuration: configurationBackupSchema.nullable(),
    leavesOut: z.array(leavesOutSchema).meta({
      description:
        'Of a tenant’s backup: what a restore leaves out, because it refers to what is not in the backup; of foreign keys to rows, if it does. At most 100, known when it is complete.',
    }),
    skewMs: count.nullable().meta({ description: 'Time between the first and the last shard’s instant.' }),
    manifest: z
      .strictObject({ key: z.string(), versionId: z.string().nullable(), sha256: z.string() })
      .nullable()
      .meta({ description: 'Written last; a backup without one does not exist.' }),
  })
  .meta({ title: 'Backup' });
export type Backup = z.output<typeof backupSchema>;

export const findingSchema = z
  .strictObject({
    object: z.string().meta({ description: 'Key of the stored object.' }),
    versionId: z.string().nullable(),
    problem: z.enum([
      'missing',
      'hash-mismatch',
      'size-mismatch',
      'not-decryptable',
      'wrong-context',
      'truncated',
      'not-decompressible',
      'row-count',
      'digest',
      'manifest-unreadable',
      'manifest-mac',
    ]),
    detail: z.string(),
    shard: shardNameSchema.nullable(),
    relation: z
      .string()
      .nullable()
      .meta({ description: 'Qualified name of the table whose rows the object holds.' }),
  })
  .meta({ title: 'Finding', description: 'Which object is wrong, and how.' });
export type Finding = z.output<typeof findingSchema>;

export const operationKindSchema = z.enum([
  ...(['verify', 'verify-hash', 'encrypt', 'decrypt', 'compress'] as const),
  'adopt',
]);

export const operationSchema = z
  .strictObject({
    id: operationIdSchema,
    kind: operationKindSchema,
    backupId: backupIdSchema.nullable().meta({
      description:
        '`null`: it is about an object of its own. Of `adopt`: the backup that it makes, there from when its manifest has been read.',
    }),
    adoptedFrom: backupIdSchema
      .nullable()
      .meta({ description: 'Of `adopt`: the id of the backup in the vault.' }),
    object: z.string().nullable().meta({
      description: 'Of a single stage: the key of the object it is about. `null`: it is about the backup.',
    }),
    keys: readingSourceSchema,
    state: workStateSchema,
    createdAt: instant,
    finishedAt: instant.nullable(),
    progress: z.strictObject({
      objectsDone: count,
      objectsTotal: count.nullable(),
      bytesRead: count.meta({ description: 'Stored bytes read.' }),
    }),
    intact: z.boolean().nullable().meta({
      description:
        'Of a verification: whether all is as it was stored; known when the operation has completed.',
    }),
    findings: z.array(findingSchema).meta({ description: 'At most 1 000 are listed.' }),
    findingsTotal: count,
    result: stageResultSchema.nullable().meta({
      description: 'Of `encrypt`, `decrypt` and `compress` on an object, when it has completed.',
    }),
    reencryption: reencryptionResultSchema
      .nullable()
      .meta({ description: 'Of `encrypt` on a backup and of `adopt`, when it has completed.' }),
    error: failureSchema.nullable(),
  })
  .meta({
    title: 'Operation',
    description: 'A verification, a single stage on an object or a backup, or an adoption.',
  });
export type Operation = z.output<typeof operationSchema>;
