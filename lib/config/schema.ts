import * as z from 'zod';
import { accessSchema } from './access.ts';
import { apiSchema } from './api.ts';
import { backupSchema } from './backup.ts';
import { cdnSchema } from './cdn.ts';
import { checkCdn } from './cdn-deployment.ts';
import { databaseSchema, networkSchema, shardsSchema } from './data.ts';
import { deploymentSettingsSchema } from './deployment.ts';
import { edgeSchema } from './edge.ts';
import { checkFailover, failoverSchema } from './failover.ts';
import { healthSchema } from './health.ts';
import { maintenanceSchema } from './maintenance.ts';
import { monitoringSchema } from './monitoring.ts';
import { integer, type Profile, profiles, regionName } from './parts.ts';
import { checkRegions } from './regions.ts';
import { checkSharding, shardingConfigSchema } from './sharding.ts';
import { standbySchema } from './standby.ts';
import { tracingSchema } from './tracing.ts';

/** Lambda environments that one shard's snapshot needs: one holds it, one stands by. */
export const lanesPerShard = 2;

/** What Step Functions lets one execution write into its history. */
const maxHistoryEvents = 25_000;
/** A turn of a lane: the task entered, scheduled, started, succeeded and left, the choice entered and left. */
const eventsPerTurn = 7;
/** A lane that stands by takes a turn in a third of its function's 15 minutes. */
const standBySeconds = 300;
/** A listing of files takes a turn when its function's time is up. */
const listingSeconds = 780;
/** All else that a shard's branch writes, with every retry. */
const eventsPerShard = 100;

/** The most events that a backup writes before it times out. */
function historyEvents(
  { shardConcurrency, timeoutHours, holdTermSeconds }: z.output<ReturnType<typeof backupSchema>>,
  shards: number,
): number {
  const turnsPerHour = 3600 / holdTermSeconds + 3600 / standBySeconds;
  const turns = Math.min(shardConcurrency, shards) * timeoutHours * turnsPerHour;
  const listings = (timeoutHours * 3600) / listingSeconds;
  return Math.ceil((turns + listings) * eventsPerTurn) + (shards + 1) * eventsPerShard;
}

const alarmsSchema = z.strictObject({
  emails: z
    .array(z.email())
    .max(50)
    .default([])
    .describe('Who is told when an alarm changes state. Each address has to confirm its subscription once.'),
  runbookBaseUrl: z
    .string()
    .min(1)
    .default('docs/runbooks')
    .describe('Where the runbooks are read; an alarm links `<runbookBaseUrl>/<alarm>.md`.'),
  functionErrors: integer(1, 1000)
    .default(1)
    .describe('Errors of one background function within 5 minutes that raise its alarm.'),
  functionThrottles: integer(1, 1000)
    .default(1)
    .describe('Throttled starts of one background function within 5 minutes that raise its alarm.'),
});

const logsSchema = (profile: Profile) =>
  z.strictObject({
    level: z
      .enum(['DEBUG', 'INFO', 'WARN', 'ERROR'])
      .default('INFO')
      .describe('The least severe line that functions write.'),
    retentionDays: z
      .literal([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 3653])
      .default(profile === 'production' ? 90 : 7)
      .describe('How long CloudWatch keeps the logs of functions, workflows and the API, in days.'),
    archiveDays: integer(1, 3650)
      .default(profile === 'production' ? 365 : 30)
      .describe('How long the log bucket keeps S3 access logs and VPC flow logs, in days.'),
  });

const encryptionSchema = z.strictObject({
  rotationDays: integer(90, 2560)
    .default(365)
    .describe('How often KMS rotates the material of the encryption keys, in days. HMAC keys do not rotate.'),
});

/** One deployment: all its settings, each with its default in the given profile. */
export const deploymentSchema = (profile: Profile) =>
  z
    .strictObject({
      profile: z
        .enum(profiles)
        .default('dev')
        .describe('Which defaults apply: `dev` costs least, `production` favours availability.'),
      account: z
        .string()
        .regex(/^\d{12}$/, 'an AWS account id has 12 digits')
        .optional()
        .describe('AWS account; without it, the one whose credentials deploy.'),
      region: regionName.optional().describe('AWS region; without it, the one that the credentials name.'),
      deletionProtection: z
        .boolean()
        .default(profile === 'production')
        .describe(
          'Stacks, clusters and tables cannot be deleted. Off for a first deployment, which may roll back, and to uninstall.',
        ),
      deployment: deploymentSettingsSchema(profile).prefault({}),
      lambdaConcurrency: integer(10, 100_000)
        .default(10)
        .describe('Quota "Concurrent executions" of the account. A new account has 10.'),
      apiConcurrency: integer(1, 10_000)
        .default(3)
        .describe(
          'Concurrent executions that a running backup leaves to the API and to background functions; the probe of `failover.enabled` takes one nearly all the time.',
        ),
      network: networkSchema(profile).prefault({}),
      shards: shardsSchema(profile),
      database: databaseSchema(profile).prefault({}),
      backup: backupSchema(profile).prefault({}),
      failover: failoverSchema(profile).prefault({}),
      sharding: shardingConfigSchema.prefault({}),
      cdn: cdnSchema.prefault({}),
      health: healthSchema(profile).prefault({}),
      maintenance: maintenanceSchema(profile).prefault({}),
      tracing: tracingSchema.prefault({}),
      api: apiSchema(profile).prefault({}),
      access: accessSchema(profile).prefault({}),
      alarms: alarmsSchema.prefault({}),
      monitoring: monitoringSchema.prefault({}),
      logs: logsSchema(profile).prefault({}),
      encryption: encryptionSchema.prefault({}),
      edge: edgeSchema(profile).optional(),
      standby: standbySchema.optional(),
    })
    .superRefine((config, context) => {
      checkRegions(config, context);
      checkFailover(config, context);
      checkSharding(config, context);
      checkCdn(config, context);
      const shards = Math.min(config.backup.shardConcurrency, config.shards.length);
      const { chunkConcurrency, fileConcurrency } = config.backup;
      const needed = shards * (lanesPerShard + chunkConcurrency) + fileConcurrency + config.apiConcurrency;
      if (needed > config.lambdaConcurrency) {
        context.addIssue({
          code: 'custom',
          path: ['backup', 'chunkConcurrency'],
          message:
            `a backup of ${shards} shard(s) at once runs ${shards} × (${lanesPerShard} + ${chunkConcurrency}) + ${fileConcurrency} functions; ` +
            `with apiConcurrency (${config.apiConcurrency}) that is ${needed}, more than lambdaConcurrency (${config.lambdaConcurrency}): ` +
            'lower chunkConcurrency, fileConcurrency or shardConcurrency, or raise the quota and lambdaConcurrency',
        });
      }
      const events = historyEvents(config.backup, config.shards.length);
      if (events > maxHistoryEvents) {
        context.addIssue({
          code: 'custom',
          path: ['backup', 'timeoutHours'],
          message:
            `a backup that takes ${config.backup.timeoutHours} hours writes up to ${events} events, ` +
            `and Step Functions ends an execution with ${maxHistoryEvents}: lower timeoutHours or shardConcurrency, or raise holdTermSeconds`,
        });
      }
      config.shards.forEach((shard, index) => {
        if (shard.adopt !== undefined && config.network.adopt === undefined) {
          context.addIssue({
            code: 'custom',
            path: ['shards', index, 'adopt'],
            message: 'an existing cluster is reached from its own VPC: set network.adopt as well',
          });
        }
      });
    });

/** The settings of one deployment, complete. */
export type DeploymentConfig = z.output<ReturnType<typeof deploymentSchema>>;
