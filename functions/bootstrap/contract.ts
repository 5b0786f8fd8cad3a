import * as z from 'zod';
import { defineContract } from '../shared/contract.ts';

/** CloudFormation passes every property as a string, and leaves out what is undefined. */
const shardProperties = z.strictObject({
  Name: z.string().regex(/^[a-z][a-z0-9-]{0,30}$/),
  ClusterIdentifier: z.string().min(1),
  /** The cluster's `cluster-…` resource id, which IAM database authentication names. */
  ResourceId: z.string().min(1),
  Database: z.string().min(1).max(63),
  WriterHost: z.string().min(1),
  WriterPort: z.coerce.number().int().min(1).max(65535),
  /** The secret that RDS keeps for the master user. Absent for an adopted cluster: its SQL is printed, not run. */
  MasterSecretArn: z.string().startsWith('arn:').optional(),
});
export type ShardProperties = z.output<typeof shardProperties>;

/** When backups are taken and how long they are kept, where nobody has said so yet; afterwards it is its users' choice. */
const automationProperties = z.strictObject({
  /** `cron(…)` or `rate(…)`, as EventBridge Scheduler reads it, in UTC. */
  Full: z.string().default('cron(0 2 * * ? *)'),
  /** Absent: no incremental backups by themselves. */
  Incremental: z.string().optional(),
  RetentionDays: z.coerce.number().int().min(1).default(30),
});
export type AutomationProperties = z.output<typeof automationProperties>;

/** A name as PostgreSQL stores it, not as SQL quotes it. */
const storedName = z.string().min(1).max(63);

/** A table that may be counted by slot, and by which columns. */
const countedProperties = z.strictObject({
  Schema: storedName,
  Table: storedName,
  /** The column that slots are made from. */
  Key: storedName,
  /** The column that names tenants; absent: tenants are not told apart. */
  Tenant: storedName.optional(),
});

const countedTableSchema = z.strictObject({
  schema: storedName,
  table: storedName,
  key: storedName,
  tenant: storedName.optional(),
});
export type CountedTable = z.output<typeof countedTableSchema>;

/** The properties of the custom resource `Custom::MainstayBootstrap`. */
export const bootstrapProperties = z.strictObject({
  ServiceToken: z.string(),
  ServiceTimeout: z.string().optional(),
  /** Any text; a change runs the bootstrap again. */
  Revision: z.string().optional(),
  Shards: z.array(shardProperties).min(1),
  /** Into how many slots keys fall, where there is no shard map yet. */
  Slots: z.coerce.number().int().default(4096),
  /** All that analyses may count. */
  Counted: z.array(countedProperties).default([]),
  Automation: automationProperties.prefault({ Incremental: 'rate(6 hours)' }),
});

/** The result of preparing one shard's database. */
export const databaseResultSchema = z.strictObject({
  shard: z.string(),
  /** Version of the SQL that is in place now. */
  version: z.number().int().min(1),
  /** Versions that this run applied; empty when nothing was left to do. */
  applied: z.array(z.number().int()),
  /** Tables whose row security hides rows from the backup role; a backup refuses them by name. */
  hidden: z.array(z.strictObject({ table: z.string(), reason: z.enum(['forced', 'owner']) })),
});
export type DatabaseResult = z.output<typeof databaseResultSchema>;

export const bootstrapContract = defineContract({
  name: 'bootstrap',
  title: 'Bootstrap',
  description:
    'What a deployment needs once: database roles, the first admin key, default schedules and retention.',
  routes: {},
  functions: {
    /**
     * Outside the VPC; answers CloudFormation's custom resource events. Needs: UpdateItem on the shards table,
     * PutItem and UpdateItem on the access table, GetSecretValue of the pepper and of each master secret, GetSecretValue and
     * PutSecretValue of the admin key's secret, GetItem and PutItem on the recovery table, CreateSchedule of the two schedules, PassRole of the schedules' role,
     * InvokeFunction of `database` and of `derive-escrow`.
     */
    'custom-resource': {
      environment: z.object({
        SHARDS_TABLE: z.string().min(1),
        ACCESS_TABLE: z.string().min(1),
        RECOVERY_TABLE: z.string().min(1),
        KEY_PEPPER_SECRET_ARN: z.string().startsWith('arn:'),
        ADMIN_KEY_SECRET_ARN: z.string().startsWith('arn:'),
        /** Function name or ARN of `database`. */
        DATABASE_FUNCTION_ARN: z.string().startsWith('arn:'),
        /** Function that makes the wrapping key of the escrow passphrase; absent: there is no escrow. */
        ESCROW_FUNCTION_ARN: z.string().startsWith('arn:').optional(),
        SCHEDULE_GROUP: z.string().min(1),
        /** The role that EventBridge Scheduler assumes to start the backup workflow. */
        SCHEDULE_ROLE_ARN: z.string().startsWith('arn:'),
        BACKUP_STATE_MACHINE_ARN: z.string().startsWith('arn:'),
      }),
      event: z.looseObject({
        RequestType: z.enum(['Create', 'Update', 'Delete']),
        ResponseURL: z.url(),
        StackId: z.string(),
        RequestId: z.string(),
        LogicalResourceId: z.string(),
        PhysicalResourceId: z.string().optional(),
        ResourceProperties: z.looseObject({}),
      }),
    },
    /** In the VPC; runs the versioned SQL as the master user, whose password comes with the event and is kept nowhere. */
    database: {
      environment: z.object({}),
      event: z.strictObject({
        traceparent: z.string().optional(),
        shard: z.strictObject({
          name: z.string(),
          database: z.string(),
          host: z.string(),
          port: z.number().int(),
        }),
        counted: z.array(countedTableSchema),
        master: z.strictObject({ username: z.string().min(1), password: z.string().min(1) }),
      }),
      result: databaseResultSchema,
    },
  },
});
