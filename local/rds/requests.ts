import * as z from 'zod';
import { identifierOf } from './arns.ts';
import { engine } from './shapes.ts';

export const clusterIdentifier = z
  .string()
  .min(1)
  .transform((text) => identifierOf(text, 'cluster'));
export const instanceIdentifier = z
  .string()
  .min(1)
  .transform((text) => identifierOf(text, 'db'));

/** What a new cluster or instance may be called, in lower case. */
const newIdentifier = z
  .string()
  .regex(/^[A-Za-z](?!.*--)[A-Za-z0-9-]{0,62}$/, 'is not a valid identifier')
  .refine((text) => !text.endsWith('-'), 'ends with a hyphen')
  .transform((text) => text.toLowerCase());

/** A time: text in a workflow, a date from the wire. */
const time = z.union([z.date(), z.iso.datetime({ offset: true }).transform((text) => new Date(text))]);
const tags = z.array(z.strictObject({ Key: z.string().min(1), Value: z.string().default('') })).default([]);

export const restoreSchema = z.strictObject({
  DBClusterIdentifier: newIdentifier,
  SourceDBClusterIdentifier: clusterIdentifier,
  RestoreType: z.enum(['full-copy', 'copy-on-write']).default('full-copy'),
  RestoreToTime: time.optional(),
  UseLatestRestorableTime: z.boolean().default(false),
  /** Every cluster of this machine has a port of its own: this one, if it is free. */
  Port: z.int().min(1150).max(65_535).optional(),
  DBSubnetGroupName: z.string().optional(),
  VpcSecurityGroupIds: z.array(z.string()).default([]),
  Tags: tags,
  KmsKeyId: z.string().optional(),
  EnableIAMDatabaseAuthentication: z.boolean().default(false),
  EnableCloudwatchLogsExports: z.array(z.enum(['postgresql', 'instance', 'iam-db-auth-error'])).default([]),
  DBClusterParameterGroupName: z.string().optional(),
  DeletionProtection: z.boolean().default(false),
  CopyTagsToSnapshot: z.boolean().default(false),
  StorageType: z.enum(['aurora', 'aurora-iopt1']).default('aurora'),
  ServerlessV2ScalingConfiguration: z
    .strictObject({
      MinCapacity: z.number(),
      MaxCapacity: z.number(),
      SecondsUntilAutoPause: z.number().optional(),
    })
    .optional(),
  BackupRetentionPeriod: z.int().min(1).max(35).optional(),
});
export type RestoreRequest = z.output<typeof restoreSchema>;

export const createInstanceSchema = z.strictObject({
  DBInstanceIdentifier: newIdentifier,
  // All databases of this machine are clusters.
  DBClusterIdentifier: clusterIdentifier,
  Engine: z.literal(engine),
  DBInstanceClass: z.string().startsWith('db.'),
  PromotionTier: z.int().min(0).max(15).default(1),
  PubliclyAccessible: z.literal(false).default(false),
  AutoMinorVersionUpgrade: z.boolean().optional(),
  DBParameterGroupName: z.string().optional(),
  EnablePerformanceInsights: z.boolean().default(false),
  PerformanceInsightsKMSKeyId: z.string().optional(),
  PerformanceInsightsRetentionPeriod: z.int().optional(),
  Tags: tags,
});
export type InstanceRequest = z.output<typeof createInstanceSchema>;

export const deleteInstanceSchema = z.strictObject({
  DBInstanceIdentifier: instanceIdentifier,
  // Instances of a cluster have no snapshots of their own.
  SkipFinalSnapshot: z.boolean().optional(),
  DeleteAutomatedBackups: z.boolean().optional(),
});
export const deleteClusterSchema = z.strictObject({
  DBClusterIdentifier: clusterIdentifier,
  SkipFinalSnapshot: z.boolean().default(false),
  DeleteAutomatedBackups: z.boolean().optional(),
});
export const modifyClusterSchema = z.strictObject({
  DBClusterIdentifier: clusterIdentifier,
  DeletionProtection: z.boolean().optional(),
  ApplyImmediately: z.boolean().optional(),
});
