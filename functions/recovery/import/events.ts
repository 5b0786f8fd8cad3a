import * as z from 'zod';
import { traceparentSchema } from '../../shared/traceparent.ts';
import { backupIdSchema } from '../ids.ts';
import { storedObjectSchema } from '../workflow.ts';

/** What passes between the states of the import workflow. */

const count = z.number().int().min(0);
const digest = z.string().regex(/^[0-9a-f]{64}$/);
const context = { backupId: backupIdSchema, traceparent: traceparentSchema };
const version = { key: z.string(), versionId: z.string().nullable() };

/** S3's report that something was uploaded. */
export const uploadedEventSchema = z.looseObject({
  'detail-type': z.literal('Object Created'),
  detail: z.looseObject({
    object: z.looseObject({ key: z.string(), 'version-id': z.string().optional() }),
  }),
});
export const uploadedResultSchema = z.strictObject({ outcome: z.enum(['started', 'nothing-to-do']) });

/** The input of the import state machine. The execution's name is the backup's id. */
export const importInputSchema = z.strictObject({
  traceparent: traceparentSchema,
  upload: z.strictObject(version),
});
export type ImportInput = z.output<typeof importInputSchema>;

/** `PlanImport`: from the context object, `$$.Execution.Name`, `.Id`, `.StartTime` and `.Input`. */
export const planImportEventSchema = z.strictObject({
  backupId: backupIdSchema,
  executionArn: z.string(),
  startedAt: z.iso.datetime(),
  input: importInputSchema,
});

/** How far the SHA-256 of the whole dump has come. */
export const uploadDigestSchema = z.strictObject({
  done: z.boolean(),
  state: z
    .strictObject({ words: z.array(z.number().int()).length(8), rest: z.string(), bytes: count })
    .nullable(),
});
const uploaded = z.strictObject({ ...version, bytes: count });

/** The whole state from there on. */
export const planImportResultSchema = z.strictObject({
  ...context,
  bucket: z.string(),
  /** The work items, which the distributed Map reads. */
  key: z.string(),
  upload: uploaded,
  digest: uploadDigestSchema,
});

/** One item of the Map: a range of the dump. */
export const segmentWorkSchema = z.strictObject({
  index: count,
  upload: z.strictObject(version),
  from: count,
  bytes: z.number().int().min(1),
  /** Whether compressing it may pay: the dump did not come compressed. */
  compress: z.boolean(),
});
export type SegmentWork = z.output<typeof segmentWorkSchema>;

const compressed = {
  index: count,
  startedAt: z.iso.datetime(),
  plainBytes: count,
  plainSha256: digest,
  compression: z.enum(['zstd', 'gzip', 'none']),
  /** What was stored in between, and is of no use once the segment is proved. */
  spent: z.array(z.strictObject(version)).max(2),
};
/** `Compress` leaves an object of its own, or points at the dump where that is stored as it came. */
export const compressedSegmentSchema = z.strictObject({
  ...compressed,
  piece: z.strictObject({ ...version, from: count, bytes: count }),
});
export type CompressedSegment = z.output<typeof compressedSegmentSchema>;
export const encryptedSegmentSchema = z.strictObject({
  ...compressed,
  message: z.strictObject({ ...version, bytes: count }),
  context: z.record(z.string(), z.string()),
  escrow: storedObjectSchema.shape.escrow,
});
export type EncryptedSegment = z.output<typeof encryptedSegmentSchema>;
export const hashedSegmentSchema = z.strictObject({ ...encryptedSegmentSchema.shape, sha256: digest });
export type HashedSegment = z.output<typeof hashedSegmentSchema>;
export const storedSegmentSchema = z.strictObject({
  index: count,
  startedAt: z.iso.datetime(),
  plainSha256: digest,
  spent: compressed.spent,
  object: storedObjectSchema,
});
export type StoredSegment = z.output<typeof storedSegmentSchema>;

/** `Compress`, `Encrypt`, `Hash`, `Store`, `Verify`: the result of each is the next one's `segment`. */
export const importSegmentEventSchema = z.discriminatedUnion('phase', [
  z.strictObject({ phase: z.literal('compress'), ...context, segment: segmentWorkSchema }),
  z.strictObject({ phase: z.literal('encrypt'), ...context, segment: compressedSegmentSchema }),
  z.strictObject({ phase: z.literal('hash'), ...context, segment: encryptedSegmentSchema }),
  z.strictObject({ phase: z.literal('store'), ...context, segment: hashedSegmentSchema }),
  z.strictObject({ phase: z.literal('verify'), ...context, segment: storedSegmentSchema }),
]);
export const importSegmentResultSchema = z.strictObject({
  ...context,
  segment: z.union([
    compressedSegmentSchema,
    encryptedSegmentSchema,
    hashedSegmentSchema,
    storedSegmentSchema,
  ]),
});

/** `DigestUpload`: reads on until its time is up, and is called again until it is `done`. */
export const digestUploadEventSchema = z.strictObject({
  ...context,
  upload: uploaded,
  digest: uploadDigestSchema,
});

/** `CommitImport`. */
export const commitImportEventSchema = z.strictObject(context);
