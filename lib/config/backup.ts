import * as z from 'zod';
import { integer, type Profile, scheduleExpression } from './parts.ts';

const objectLockSchema = z.strictObject({
  mode: z
    .enum(['GOVERNANCE', 'COMPLIANCE'])
    .describe('GOVERNANCE can be lifted by a privileged role; COMPLIANCE by nobody, the root user included.'),
  days: integer(1, 36_500).describe('How long each stored object cannot be deleted or overwritten, in days.'),
});

/** How backups are taken, kept and watched. */
export const backupSchema = (profile: Profile) =>
  z
    .strictObject({
      schedule: scheduleExpression
        .default('cron(0 2 * * ? *)')
        .describe(
          'When a full backup starts, in UTC. It seeds the default schedule, which belongs to its users from then on.',
        ),
      objectLock: objectLockSchema
        .optional()
        .describe('Default retention of the backups bucket; without it, objects are not locked.'),
      noncurrentVersionDays: integer(1, 3650)
        .default(profile === 'production' ? 30 : 7)
        .describe('How long S3 keeps versions of objects that were deleted or overwritten, in days.'),
      chunkTargetMiB: integer(1, 4096)
        .default(256)
        .describe(
          'Table data per chunk, in MiB on disk. Larger chunks mean fewer objects, smaller ones more parallelism.',
        ),
      compression: z
        .enum(['zstd', 'gzip'])
        .default('zstd')
        .describe('How chunks are compressed before they are encrypted.'),
      compressionLevel: integer(1, 19)
        .default(3)
        .describe(
          'Effort of the compression: 1 to 19 for zstd, 1 to 9 for gzip. Above 3, functions become slower than the database.',
        ),
      shardConcurrency: integer(1, 40).default(1).describe('Shards that are backed up at the same time.'),
      chunkConcurrency: integer(1, 1000)
        .default(4)
        .describe(
          'Chunks of one shard that are copied at the same time; each is one connection to the database.',
        ),
      holdTermSeconds: integer(2, 780)
        .default(600)
        .describe(
          'How long one function holds the exported snapshot before the other lane relieves it, in seconds.',
        ),
      timeoutHours: integer(1, 168)
        .default(24)
        .describe(
          'After this long a backup or a verification that has not ended counts as failed, in hours.',
        ),
      missedAfterHours: integer(2, 168)
        .default(26)
        .describe('Without a completed backup for this long the alarm backup-missed is raised, in hours.'),
    })
    .refine(({ compression, compressionLevel }) => compression !== 'gzip' || compressionLevel <= 9, {
      path: ['compressionLevel'],
      message: 'gzip has levels 1 to 9',
    });
