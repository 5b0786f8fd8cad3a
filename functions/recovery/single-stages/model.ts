import * as z from 'zod';
import { backupIdSchema } from '../ids.ts';
import { keySources } from '../keys/key-source.ts';

const count = z.number().int().min(0);
const key = z.string().min(1).max(1024);

/** The largest object that one operation works on: with gzip's slowest level it takes most of a function's 15 minutes. */
export const largestStageBytes = 16 * 1024 * 1024 * 1024;

/** What a single stage is asked to work on: an object, or one of a backup's. Which it is, `chooseSource` decides. */
export const sourceShape = {
  key: key.optional().meta({
    description: 'Key of an object below `uploads/` or `scratch/` of the backups bucket.',
    examples: ['scratch/01K9Z4A1S5F3D7G9H2J4K6L8MN/shop.dump'],
  }),
  versionId: z.string().min(1).max(1024).optional().meta({ description: 'Default: the latest version.' }),
  backupId: backupIdSchema.optional().meta({ description: 'In place of `key`: a backup …' }),
  object: key
    .optional()
    .meta({ description: '… and the key of one of its objects, as its manifest has it.' }),
};

export const stageBodySchema = z.strictObject(sourceShape).meta({ title: 'Object to work on' });
export const encryptBodySchema = z
  .strictObject({
    ...sourceShape,
    keys: z.enum(keySources).optional().meta({
      description:
        'With `backupId` alone: what the backup is opened with; see `verify`. Default: `kms`. It is always stored under the keys of the deployment.',
    }),
  })
  .meta({ title: 'What to encrypt' });
export const compressBodySchema = z
  .strictObject({
    ...sourceShape,
    format: z.enum(['zstd', 'gzip']).default('zstd'),
    level: z.number().int().min(1).max(19).optional().meta({
      description: '1 to 19 for zstd, 1 to 9 for gzip. Default: 3 and 6.',
    }),
  })
  .refine(({ format, level = 1 }) => format === 'zstd' || level <= 9, {
    path: ['level'],
    message: 'gzip has levels 1 to 9',
  })
  .meta({ title: 'Object to compress' });
export const verifyHashBodySchema = z
  .strictObject({ backupId: sourceShape.backupId, key: sourceShape.key, versionId: sourceShape.versionId })
  .meta({ title: 'What to compare' });

export const stageResultSchema = z
  .strictObject({
    objectKey: z.string().meta({ description: 'Key of the result in the backups bucket.' }),
    versionId: z.string().nullable(),
    sizeBytes: count,
    sha256: z.string().meta({ description: 'Of the result, hex.' }),
    sha256Key: z
      .string()
      .meta({ description: 'Key of a file beside it with this sum in the format of `sha256sum`.' }),
    sourceBytes: count,
    ratio: z.number().min(0).nullable().meta({ description: 'Bytes read for each byte of the result.' }),
    durationMs: count,
    expiresAt: z.iso.datetime().meta({ description: 'When both are removed.' }),
  })
  .meta({ title: 'Result of a stage' });
export type StageResult = z.output<typeof stageResultSchema>;
