import * as z from 'zod';
import { tenantsConfigSchema } from '../../functions/recovery/tenants/model.ts';
import { readSchedule } from '../../functions/shared/schedules/schedule-expression.ts';
import { adoptSchema } from './adopt.ts';
import { drillSchema } from './drill.ts';
import { integer, type Profile, scheduleExpression } from './parts.ts';

const objectLockSchema = z.strictObject({
  mode: z
    .enum(['GOVERNANCE', 'COMPLIANCE'])
    .describe('GOVERNANCE can be lifted by a privileged role; COMPLIANCE by nobody, the root user included.'),
  days: integer(1, 36_500).describe('How long each stored object cannot be deleted or overwritten, in days.'),
});

const notASchedule = 'is not an expression that EventBridge Scheduler reads';

/** Whether an expression is valid in all its parts. */
function isSchedule(expression: string): boolean {
  try {
    readSchedule(expression, 0);
    return true;
  } catch {
    return false;
  }
}

const configurationSchema = z.strictObject({
  parameterPaths: z
    .array(
      z
        .string()
        .max(900)
        .regex(/^(\/[A-Za-z0-9_.-]+){1,14}$/, 'is a path like /app/settings, without a slash at its end')
        .refine(
          (path) => !/^\/(aws|ssm)/i.test(path),
          'AWS keeps paths that begin with /aws or /ssm to itself',
        ),
    )
    .max(50)
    .default([])
    .describe(
      'Paths of Systems Manager below which parameters are backed up with the configuration, beside the deployment’s own. What is encrypted is left out.',
    ),
});

const escrowSchema = z.strictObject({
  enabled: z
    .boolean()
    .default(false)
    .describe(
      'Whether a passphrase opens backups too, for the day their KMS key is lost. Objects are then encrypted at rest by keys of S3.',
    ),
  generate: z
    .boolean()
    .default(false)
    .describe(
      'Whether Secrets Manager makes the passphrase up. Without it, the secret is empty until you put one. Never change it.',
    ),
});

/** How backups are taken, kept and watched. */
export const backupSchema = (profile: Profile) =>
  z
    .strictObject({
      schedule: scheduleExpression
        .refine(isSchedule, notASchedule)
        .default('cron(0 2 * * ? *)')
        .describe(
          'When a full backup starts, in UTC. It seeds the automation, which belongs to its users from then on.',
        ),
      incrementalSchedule: scheduleExpression
        .refine(isSchedule, notASchedule)
        .nullable()
        .default('rate(6 hours)')
        .describe(
          'When an incremental backup starts, in UTC; `null`: never by itself. A seed like `schedule`.',
        ),
      retentionDays: integer(1, 36_500)
        .default(30)
        .describe('For how long a backup is kept at least, in days. A seed like `schedule`.'),
      lockMode: objectLockSchema.shape.mode
        .default('GOVERNANCE')
        .describe('How a backup is locked for which that was asked (`lockDays`); see `objectLock.mode`.'),
      objectLock: objectLockSchema
        .optional()
        .describe('Default retention of the backups bucket; without it, objects are not locked.'),
      escrow: escrowSchema.prefault({}),
      adopt: adoptSchema
        .optional()
        .describe(
          'Copies of a deployment that was lost, whose backups this one may adopt; without it, there are none. Take it out when they are adopted.',
        ),
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
      fileConcurrency: integer(1, 1000)
        .default(1)
        .describe('Functions that copy files at the same time, beside those that copy chunks.'),
      configuration: configurationSchema.prefault({}),
      tenants: tenantsConfigSchema
        .optional()
        .describe(
          'How the platform keeps its tenants apart; without it, there are no backups of single ones.',
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
      drill: drillSchema(profile).prefault({}),
    })
    .refine(({ compression, compressionLevel }) => compression !== 'gzip' || compressionLevel <= 9, {
      path: ['compressionLevel'],
      message: 'gzip has levels 1 to 9',
    });
