import * as z from 'zod';
import { selfManagedInstanceSchema, shardFailoverSchema } from './failover.ts';
import { integer, type Profile } from './parts.ts';

const awsId = (prefix: string) =>
  z.string().regex(new RegExp(`^${prefix}-[0-9a-f]+$`), `looks like ${prefix}-0123456789abcdef0`);

const adoptedNetworkSchema = z.strictObject({
  vpcId: awsId('vpc').describe('The VPC of the adopted clusters.'),
  availabilityZones: z
    .array(z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d[a-z]$/))
    .min(1)
    .describe('Zones of the subnets, in the same order.'),
  subnetIds: z
    .array(awsId('subnet'))
    .min(1)
    .describe('Subnets for the functions. They need to reach S3, DynamoDB and KMS by endpoints or NAT.'),
});

/** The network that functions and databases share. */
export const networkSchema = (profile: Profile) =>
  z
    .strictObject({
      cidr: z
        .cidrv4()
        .refine(
          (cidr) => Number(cidr.split('/')[1]) >= 16 && Number(cidr.split('/')[1]) <= 24,
          'between /16 and /24',
        )
        .optional()
        .describe(
          'Address range of the new VPC, between /16 and /24; default 10.42.0.0/16. Never change it.',
        ),
      endpointZones: integer(1, 2)
        .default(profile === 'production' ? 2 : 1)
        .describe(
          'Availability zones (of the two) in which KMS has an interface endpoint. Each costs per hour.',
        ),
      flowLogs: z
        .enum(['ALL', 'REJECT'])
        .default(profile === 'production' ? 'ALL' : 'REJECT')
        .describe('Which connections the VPC flow log records.'),
      adopt: adoptedNetworkSchema.optional().describe('Use an existing VPC in place of a new one.'),
    })
    .superRefine(({ cidr, adopt }, context) => {
      if (adopt === undefined) return;
      if (cidr !== undefined) {
        context.addIssue({
          code: 'custom',
          path: ['cidr'],
          message: 'an adopted VPC has its own address range',
        });
      }
      if (adopt.availabilityZones.length !== adopt.subnetIds.length) {
        context.addIssue({
          code: 'custom',
          path: ['adopt', 'availabilityZones'],
          message: `names ${adopt.availabilityZones.length} zone(s) for ${adopt.subnetIds.length} subnet(s)`,
        });
      }
    });

const capacitySchema = (profile: Profile) =>
  z
    .strictObject({
      minAcu: z
        .number()
        .min(0)
        .max(256)
        .multipleOf(0.5)
        .default(profile === 'production' ? 1 : 0)
        .describe(
          'Least capacity of each instance, in Aurora capacity units (2 GiB each). 0 pauses an idle instance.',
        ),
      maxAcu: z
        .number()
        .min(1)
        .max(256)
        .multipleOf(0.5)
        .default(profile === 'production' ? 16 : 4)
        .describe('Most capacity of each instance, in Aurora capacity units.'),
    })
    .refine(({ minAcu, maxAcu }) => minAcu <= maxAcu, {
      path: ['maxAcu'],
      message: 'less than minAcu',
    });

const adoptedClusterSchema = z.strictObject({
  clusterIdentifier: z.string().min(1).max(63).describe('Name of the existing Aurora cluster.'),
  resourceId: z
    .string()
    .regex(/^cluster-[A-Z0-9]+$/, 'a cluster resource id starts with cluster-, in capital letters')
    .describe('Its DbClusterResourceId, which IAM database authentication names.'),
  writerHost: z.string().min(1).describe('Its writer endpoint.'),
  writerPort: integer(1, 65_535).default(5432).describe('TCP port of its endpoints.'),
  securityGroupId: awsId('sg').describe(
    'A security group of the cluster; it gets a rule that lets the functions in.',
  ),
  instances: z
    .array(selfManagedInstanceSchema)
    .min(1)
    .max(5)
    .optional()
    .describe(
      'Its instances, where RDS does not manage it; then failover is by `replica` or `observe`. Without, RDS is asked.',
    ),
});

const shardSchema = (profile: Profile) =>
  z.strictObject({
    name: z
      .string()
      .max(31)
      .regex(
        /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/,
        'lower case letters and digits, a letter first; single hyphens between them',
      )
      .describe('What the shard is called in the API, in metrics and in backups. Never change it.'),
    database: z
      .string()
      .regex(/^[a-z_][a-z0-9_]{0,62}$/, 'a plain PostgreSQL name in lower case')
      .default('platform')
      .describe(
        'The database that holds the platform’s data. Never change it: that would replace the cluster.',
      ),
    capacity: capacitySchema(profile).prefault({}),
    instanceClass: z
      .string()
      .regex(
        /^db[.][a-z]+[0-9][a-z0-9-]*[.](medium|large|[0-9]*xlarge)$/,
        'an instance class as RDS calls it, such as db.r8g.large',
      )
      .optional()
      .describe(
        'What all its instances are, for example `db.r8g.large`, in place of `capacity`: they neither grow nor pause.',
      ),
    readers: integer(0, 15).default(1).describe('Reader instances beside the writer.'),
    adopt: adoptedClusterSchema
      .optional()
      .describe('An existing cluster in place of a new one. Bootstrap prints its SQL and does not run it.'),
    failover: shardFailoverSchema.prefault({}),
  });

/** A stack has at most 200 outputs; each new cluster takes five, and everything else together sixteen. */
export const maxShards = 32;

/** The database clusters. */
export const shardsSchema = (profile: Profile) =>
  z
    .array(shardSchema(profile))
    .min(1)
    .max(maxShards, `a deployment has at most ${maxShards} shards: CloudFormation takes no more outputs`)
    .prefault([{ name: 'shard-a' }])
    .superRefine((shards, context) => {
      shards.forEach(({ name }, index) => {
        const first = shards.findIndex((shard) => shard.name === name);
        if (first !== index) {
          context.addIssue({
            code: 'custom',
            path: [index, 'name'],
            message: `shard ${first} is called ${name} already`,
          });
        }
      });
    });

export type ShardConfig = z.output<ReturnType<typeof shardSchema>>;

/** What all new clusters have in common. */
export const databaseSchema = (profile: Profile) =>
  z.strictObject({
    pointInTimeDays: integer(1, 35)
      .default(profile === 'production' ? 14 : 1)
      .describe('How far back Aurora’s own continuous backup reaches, in days.'),
    insights: z
      .enum(['standard', 'advanced'])
      .default('standard')
      .describe('CloudWatch Database Insights mode. `advanced` is charged per vCPU or ACU.'),
    enhancedMonitoringSeconds: z
      .literal([0, 1, 5, 10, 15, 30, 60])
      .default(profile === 'production' ? 60 : 0)
      .describe('Interval of operating system metrics, in seconds; 0 turns them off.'),
    slowQueryMs: integer(10, 600_000)
      .default(1000)
      .describe('Statements that take longer are logged, in milliseconds.'),
  });
