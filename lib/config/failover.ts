import * as z from 'zod';
import { integer, type Profile } from './parts.ts';

const regionSchema = z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/, 'is a region, like eu-west-1');

/** Where else clusters of a global database are, and how functions get to them. */
const globalMemberSchema = z.strictObject({
  region: regionSchema.describe('Another region that the global database has a cluster in.'),
  cidr: z
    .cidrv4()
    .describe(
      'Address range of the network that it is in there, which must not be that of the deployment’s own. Functions get a way out to it; the peering and the routes are yours.',
    ),
  port: integer(1, 65_535).default(5432).describe('TCP port of its endpoints.'),
});

/** The most clusters that a global database has beside the first one’s. */
const mostMembers = 10;

/** What is done when the writer of a shard does not serve. */
export const shardFailoverSchema = z
  .strictObject({
    action: z
      .enum(['cluster', 'replica', 'global', 'observe'])
      .default('cluster')
      .describe(
        'What replaces a writer that does not serve: `cluster` asks RDS for a failover of the Aurora cluster, `replica` promotes a streaming replica by SQL, `global` fails an Aurora global database over, `observe` does nothing and tells.',
      ),
    globalClusterIdentifier: z
      .string()
      .regex(/^[A-Za-z][A-Za-z0-9-]{0,62}$/, 'is not the name of a global cluster')
      .optional()
      .describe('Name of the Aurora global database, for `global`.'),
    globalMembers: z
      .array(globalMemberSchema)
      .min(1)
      .max(mostMembers)
      .optional()
      .describe('The other regions of the global database, for `global`.'),
  })
  .superRefine(({ action, ...global }, context) => {
    for (const path of ['globalClusterIdentifier', 'globalMembers'] as const) {
      if ((action === 'global') === (global[path] !== undefined)) continue;
      const message =
        action === 'global' ? 'is needed for the action global' : 'is for the action global alone';
      context.addIssue({ code: 'custom', path: [path], message });
    }
    const regions = (global.globalMembers ?? []).map(({ region }) => region);
    regions.forEach((region, index) => {
      if (regions.indexOf(region) === index) return;
      const path = ['globalMembers', index, 'region'];
      context.addIssue({
        code: 'custom',
        path,
        message: `${region} is named already: a global database has one cluster in a region`,
      });
    });
  });

/** One instance of a cluster that RDS does not manage. */
export const selfManagedInstanceSchema = z.strictObject({
  id: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,62}$/, 'lower case letters, digits and hyphens, a letter first')
    .describe('What the instance is called in status and in metrics.'),
  host: z.string().min(1).max(255).describe('Where it answers; not the endpoint that follows the writer.'),
  port: integer(1, 65_535).default(5432).describe('TCP port.'),
});

/** How writers are watched, and when one is replaced. */
export const failoverSchema = (profile: Profile) =>
  z
    .strictObject({
      enabled: z
        .boolean()
        .default(profile === 'production')
        .describe(
          'Whether shards are probed, and so writers are replaced without being asked. A probed instance never pauses, whatever `capacity.minAcu` says.',
        ),
      probeIntervalSeconds: z
        .literal([10, 15, 20, 30, 60])
        .default(30)
        .describe('From one probe of a shard to the next, in seconds.'),
      probeTimeoutMs: integer(500, 20_000)
        .default(5_000)
        .describe(
          'How long an instance may take to answer a probe, in milliseconds; less than the interval.',
        ),
      failureThreshold: integer(1, 10)
        .default(3)
        .describe('Probes in a row that a writer fails before the alarm writer-down is raised.'),
      automatic: z
        .boolean()
        .default(true)
        .describe('Whether a writer is replaced without being asked. By request it is in any case.'),
      cooldownMinutes: integer(0, 1_440)
        .default(15)
        .describe('After a failover, how long no other of the shard happens by itself, in minutes.'),
      maxLagBytes: integer(0, 1_099_511_627_776)
        .default(16 * 1_048_576)
        .describe('A replica that has received less by more than this is not promoted by itself, in bytes.'),
      maxLagSeconds: integer(1, 86_400)
        .optional()
        .describe('The same, in seconds that a replica is behind; without it, bytes alone count.'),
      flapping: z
        .strictObject({
          transitions: integer(2, 100)
            .default(4)
            .describe('Changes between answering and not, within the window, that count as flapping.'),
          windowMinutes: integer(1, 120).default(10).describe('The window, in minutes.'),
        })
        .prefault({})
        .describe('A writer that comes and goes is not replaced by itself.'),
    })
    .refine(({ probeTimeoutMs, probeIntervalSeconds }) => probeTimeoutMs < probeIntervalSeconds * 1000, {
      path: ['probeTimeoutMs'],
      message: 'a probe has to end before the next begins',
    });

export type SelfManagedInstance = z.output<typeof selfManagedInstanceSchema>;
export type FailoverConfig = z.output<ReturnType<typeof failoverSchema>>;
export type ShardFailoverConfig = z.output<typeof shardFailoverSchema>;

/** Room that a function's environment variables have for instances, in bytes. */
const roomForInstances = 2_000;

interface Watched {
  apiConcurrency: number;
  failover: FailoverConfig;
}

interface Shards {
  shards: readonly {
    name: string;
    adopt?: { instances?: readonly SelfManagedInstance[] | undefined } | undefined;
    failover: ShardFailoverConfig;
  }[];
}

/** Instances that RDS does not manage, by shard. */
export function selfManagedOf({ shards }: Shards): Record<string, readonly SelfManagedInstance[]> {
  return Object.fromEntries(
    shards.flatMap(({ name, adopt }) => (adopt?.instances === undefined ? [] : [[name, adopt.instances]])),
  );
}

/**
 * Refuses failovers that would need RDS where there is none, or be done behind its back where there is, more instances than
 * functions can be told of, and probes that leave nothing to the API.
 */
export function checkFailover(config: Shards & Watched, context: z.RefinementCtx): void {
  if (config.failover.enabled && config.apiConcurrency < 2) {
    context.addIssue({
      code: 'custom',
      path: ['apiConcurrency'],
      message: 'at least 2: the function that probes shards for failovers runs nearly all the time',
    });
  }
  config.shards.forEach(({ adopt, failover: { action } }, index) => {
    if (action === 'observe') return;
    const managed = adopt?.instances === undefined;
    if (managed === (action !== 'replica')) return;
    context.addIssue({
      code: 'custom',
      path: ['shards', index, 'failover', 'action'],
      message: managed
        ? 'replica promotes by SQL, which RDS does not let anybody do: take cluster, or name the instances in adopt.instances'
        : `${action} is a request to RDS, and the shard names instances of its own: take replica or observe`,
    });
  });
  const bytes = Buffer.byteLength(JSON.stringify(selfManagedOf(config)));
  if (bytes > roomForInstances) {
    context.addIssue({
      code: 'custom',
      path: ['shards'],
      message: `the instances of adopted clusters take ${bytes} bytes, and functions have room for ${roomForInstances}: name fewer, or shorter`,
    });
  }
}
