import * as z from 'zod';

const tagsSchema = z.record(z.string(), z.string());

/** What RDS knows of a cluster beyond what PostgreSQL's side keeps. */
const clusterSchema = z.object({
  /** Name of the secret that RDS manages for the master user. */
  secretName: z.string().optional(),
  secretArn: z.string().optional(),
  /** Key that encrypts that secret. */
  secretKmsKeyId: z.string().optional(),
  parameterGroup: z.string(),
  deletionProtection: z.boolean(),
  backupRetentionDays: z.number().int(),
  kmsKeyId: z.string().optional(),
  minCapacity: z.number().optional(),
  maxCapacity: z.number().optional(),
  subnetGroup: z.string().optional(),
  securityGroups: z.array(z.string()).optional(),
  copyTagsToSnapshot: z.boolean().optional(),
  logExports: z.array(z.string()).optional(),
  storageType: z.string().optional(),
  tags: tagsSchema,
});

const instanceSchema = z.object({
  instanceClass: z.string(),
  promotionTier: z.number().int(),
  parameterGroup: z.string().optional(),
  performanceInsights: z.boolean().optional(),
  /** What an API call began and is not done yet. */
  pending: z
    .object({
      state: z.enum(['creating', 'deleting', 'failed']),
      cluster: z.string(),
      since: z.iso.datetime(),
    })
    .optional(),
  tags: tagsSchema,
});

export const recordsSchema = z.object({
  version: z.literal(1),
  clusters: z.record(z.string(), clusterSchema),
  instances: z.record(z.string(), instanceSchema),
});

export type ClusterRecord = z.infer<typeof clusterSchema>;
export type InstanceRecord = z.infer<typeof instanceSchema>;
export type Records = z.infer<typeof recordsSchema>;
