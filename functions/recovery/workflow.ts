import * as z from 'zod';
import { traceparentSchema } from '../shared/traceparent.ts';
import { backupIdSchema, operationIdSchema, shardNameSchema } from './ids.ts';
import { fingerprintSchema } from './keys/escrow-model.ts';
import { keySourceSchema } from './keys/key-source.ts';
import { componentSchema } from './model.ts';
import { tenantKeySchema } from './tenants/condition.ts';
import { shardTenantSchema, tenantSchema } from './tenants/model.ts';

/**
 * What passes between the states of the backup and verification workflows. Every event is what the
 * state's `Payload` holds, every result what the function answers.
 */

/** Carried by every task, so that every function of a workflow logs under one trace. */
const context = { backupId: backupIdSchema, traceparent: traceparentSchema };
const count = z.number().int().min(0);

/** The input of the backup state machine. The execution's name is the backup's id. */
export const backupInputSchema = z.strictObject({
  traceparent: traceparentSchema.optional(),
  trigger: z.enum(['api', 'schedule', 'restore']),
  /** `incremental` is full for every shard that has no backup to refer to. */
  type: z.enum(['full', 'incremental']),
  requestedBy: z.string().optional(),
  /** Default: all, or `database` where `shards` are given. */
  components: z.array(componentSchema).min(1).optional(),
  /** Default: all shards of the deployment. */
  shards: z.array(shardNameSchema).min(1).optional(),
  /** Default: the whole platform. A tenant's backup is a full one of databases. */
  tenant: tenantSchema.optional(),
});
export type BackupInput = z.output<typeof backupInputSchema>;

/** `Plan`: from the context object, `$$.Execution.Name`, `.Id`, `.StartTime` and `.Input`. */
export const planEventSchema = z.strictObject({
  backupId: backupIdSchema,
  executionArn: z.string(),
  startedAt: z.iso.datetime(),
  input: backupInputSchema,
});

/** A shard, and the one instance of it that this backup reads from. */
export const shardTargetSchema = z.strictObject({
  name: shardNameSchema,
  database: z.string(),
  clusterIdentifier: z.string(),
  epoch: z.number().int(),
  /** `DbClusterResourceId`: a cluster that was restored under the same name has another. */
  resourceId: z.string().optional(),
  instance: z.strictObject({ identifier: z.string(), host: z.string(), port: z.number().int() }),
  /** The one tenant whose part of it is backed up; absent: all of it. */
  tenant: shardTenantSchema.optional(),
});
export type ShardTarget = z.output<typeof shardTargetSchema>;

/** `Plan`'s result is the whole state from there on (`OutputPath` the payload). */
export const planResultSchema = z.strictObject({
  ...context,
  /** As it was asked for. */
  type: z.enum(['full', 'incremental']),
  /** What the backup is of. */
  parts: z.strictObject({ database: z.boolean(), files: z.boolean(), configuration: z.boolean() }),
  /** None where no database is backed up. */
  shards: z.array(shardTargetSchema),
});

/** One shard's branch: `ItemSelector` of the inline Map, and the payload of its functions unless said otherwise. */
const shardContext = { ...context, shard: shardTargetSchema };
export const shardEventSchema = z.strictObject(shardContext);

/** `HoldSnapshot`: the shard's branch and which of the two lanes asks. */
export const holdSnapshotEventSchema = z.strictObject({ ...shardContext, lane: z.enum(['a', 'b']) });
export const holdSnapshotResultSchema = z.strictObject({
  /** `again`: this lane is needed again at once. `released`: the snapshot is no longer needed. */
  outcome: z.enum(['again', 'released']),
  /** The newest generation of the snapshot that this lane saw; 0 before the first. */
  generation: count,
});

/** `DumpSchema` (phase `ddl`) and `ReadSequences` (phase `sequences`) are one function. */
export const dumpSchemaEventSchema = z.strictObject({ ...shardContext, phase: z.enum(['ddl', 'sequences']) });
export const dumpSchemaResultSchema = z.strictObject({
  phase: z.enum(['ddl', 'sequences']),
  objects: count,
  bytes: count,
  durationMs: count,
});

/** `PlanChunks`: its result names the JSON array that the distributed Map reads (`ItemReader`). */
export const planChunksResultSchema = z.strictObject({
  bucket: z.string(),
  key: z.string(),
  items: count,
  relations: count,
  bytesEstimated: count,
});

/** A relation's column as it stands in COPY text. */
export const columnSchema = z.strictObject({ name: z.string(), type: z.string() });

/** Part of a table: heap blocks `fromBlock` to `toBlock` (exclusive; `null`: to the end) of one leaf relation. */
export const blockRangeSchema = z.strictObject({
  oid: z.number().int(),
  schema: z.string(),
  name: z.string(),
  fromBlock: count,
  toBlock: z.number().int().min(1).nullable(),
});
export type BlockRange = z.output<typeof blockRangeSchema>;

/** Of files: a pack of small ones, a large one or a segment of it, the list of all; and the configuration. */
const componentKinds = ['files', 'file', 'files-index', 'configuration'] as const;

export const objectKindSchema = z.enum([
  'rows',
  'pre-data',
  'post-data',
  'sequences',
  'import',
  ...componentKinds,
]);
export type ObjectKind = z.output<typeof objectKindSchema>;

/** A stored object and all that must hold when it is read back. */
export const storedObjectSchema = z.strictObject({
  kind: objectKindSchema,
  key: z.string(),
  versionId: z.string().nullable(),
  /** SHA-256 of the stored bytes, hex. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  storedBytes: count,
  /** `none`: the content came compressed already. */
  compression: z.enum(['zstd', 'gzip', 'none']),
  /** Bytes before compression. */
  plainBytes: count,
  /** Of the DDL before the rows: SHA-256 of its text without what differs from one dump to the next. */
  contentSha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
  /** The AWS Encryption SDK encryption context the message must carry. */
  context: z.record(z.string(), z.string()),
  /** Fingerprint of the wrapping key of the escrow that opens the message, too. Absent: KMS alone opens it. */
  escrow: fingerprintSchema.optional(),
  /** Present for kind `rows`. */
  rows: z
    .strictObject({
      range: blockRangeSchema,
      count: count,
      /**
       * Sum over the COPY lines of their SHA-256, modulo 2^256, hex: it does not depend on order. Computed when the
       * object is first read back.
       */
      digest: z
        .string()
        .regex(/^[0-9a-f]{64}$/)
        .optional(),
    })
    .optional(),
});
export type StoredObject = z.output<typeof storedObjectSchema>;

/** A range that may be as it was in an earlier backup. */
export const plannedRangeSchema = blockRangeSchema.extend({
  /** The object of that backup, and the `xmin` of the snapshot that its rows were read from. */
  previous: z.strictObject({ object: storedObjectSchema, xmin: z.string().regex(/^\d{1,20}$/) }).optional(),
  /** Only the tenant's rows of it are copied: those that this column says it of. */
  tenantKey: tenantKeySchema.optional(),
});
export type PlannedRange = z.output<typeof plannedRangeSchema>;

/** One item of the plan: one range of a large table, or several small tables in whole. */
export const chunkWorkSchema = z.strictObject({ item: count, ranges: z.array(plannedRangeSchema) });
export type ChunkWork = z.output<typeof chunkWorkSchema>;

/** `ChunkPipeline`: `ItemSelector` of the distributed Map gives `work` from `$$.Map.Item.Value`. */
export const chunkPipelineEventSchema = z.strictObject({ ...shardContext, work: chunkWorkSchema });

/** A bounded number of stored objects that one invocation reads back. */
const verifyWork = { item: count, objects: z.array(storedObjectSchema) };
export const verifyWorkSchema = z.strictObject(verifyWork);

/** `ChunkPipeline`'s result is `VerifyChunk`'s whole payload. */
export const chunkPipelineResultSchema = z.strictObject({
  purpose: z.literal('backup'),
  ...context,
  shard: shardNameSchema,
  work: verifyWorkSchema,
});

/** What was stored of a component other than the database: `VerifyChunk`'s whole payload. */
export const componentWorkSchema = z.strictObject({
  purpose: z.literal('component'),
  ...context,
  part: z.enum(['files', 'files-index', 'configuration']),
  work: verifyWorkSchema,
});

/** In a verification run, `work` is the Map's item; `mode` is the state's input. */
export const verifyChunkEventSchema = z.discriminatedUnion('purpose', [
  chunkPipelineResultSchema,
  z.strictObject({
    purpose: z.literal('verification'),
    ...context,
    operationId: operationIdSchema,
    mode: z.enum(['full', 'hash']),
    keys: keySourceSchema,
    work: verifyWorkSchema,
  }),
  componentWorkSchema,
]);
export const verifyChunkResultSchema = z.strictObject({
  item: count,
  objects: count,
  findings: count,
  storedBytes: count,
});

/** `Commit`. */
export const commitEventSchema = z.looseObject(context);
export const commitResultSchema = z.strictObject({
  backupId: backupIdSchema,
  manifestKey: z.string(),
  objects: count,
  storedBytes: count,
});

/** `Release`: at the end of a shard's work, and before its branch fails (then with `error` beside it). */
export const releaseEventSchema = z.looseObject(shardContext);
export const releaseResultSchema = z.strictObject({ released: z.boolean() });

/** What a workflow's `Catch` gives. */
export const caughtErrorSchema = z.looseObject({ Error: z.string(), Cause: z.string().optional() });

/** EventBridge's report that an execution ended other than by success. */
export const executionStatusEventSchema = z.looseObject({
  'detail-type': z.literal('Step Functions Execution Status Change'),
  detail: z.looseObject({
    executionArn: z.string(),
    name: z.string(),
    status: z.string(),
    input: z.string().nullish(),
    error: z.string().nullish(),
    cause: z.string().nullish(),
  }),
});

/**
 * `Conclude`: from `Catch` (`$$.Execution.Name` and `.Input`, `error` the `Catch`'s `ResultPath`),
 * or the report of EventBridge. Serves both workflows: it finds what the name belongs to.
 */
export const concludeEventSchema = z.union([
  executionStatusEventSchema,
  z.strictObject({
    executionName: z.string().regex(/^[A-Za-z0-9-]{1,80}$/),
    /** The execution's; whatever it is, it names the trace at most. */
    input: z.unknown(),
    error: caughtErrorSchema,
  }),
]);
export const concludeResultSchema = z.strictObject({
  outcome: z.enum(['failed', 'canceled', 'nothing-to-do']),
});

/** The input of the verification state machine. The execution's name is the operation's id. */
export const verificationInputSchema = z.strictObject({
  traceparent: traceparentSchema,
  backupId: backupIdSchema,
  mode: z.enum(['full', 'hash']),
  keys: keySourceSchema,
  requestedBy: z.string().optional(),
});

/** `PlanVerification`: from the context object, `$$.Execution.Name` and `$$.Execution.Input`. */
export const planVerificationEventSchema = z.strictObject({
  operationId: operationIdSchema,
  executionArn: z.string(),
  input: verificationInputSchema,
});
/** The whole state from there on; `bucket` and `key` are the distributed Map's `ItemReader`. */
export const planVerificationResultSchema = z.strictObject({
  ...context,
  operationId: operationIdSchema,
  mode: z.enum(['full', 'hash']),
  keys: keySourceSchema,
  bucket: z.string(),
  key: z.string(),
  items: count,
});

/** `ConcludeVerification`: the state as `PlanVerification` left it. */
export const concludeVerificationEventSchema = z.looseObject({ ...context, operationId: operationIdSchema });
export const concludeVerificationResultSchema = z.strictObject({
  operationId: operationIdSchema,
  intact: z.boolean(),
  findings: count,
});

/** `Sweep`: one backup's leftovers, or (from a schedule) of every backup whose leftovers remain. */
export const sweepEventSchema = z.looseObject({
  backupId: backupIdSchema.optional(),
  traceparent: traceparentSchema.optional(),
});
export const sweepResultSchema = z.strictObject({
  swept: z.array(backupIdSchema),
  objectsRemoved: count,
  uploadsAborted: count,
  /** Whether something is left for the next run. */
  remaining: z.boolean(),
});
