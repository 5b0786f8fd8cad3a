import { randomInt } from 'node:crypto';
import * as z from 'zod';
import { conductSchema } from './conduct.ts';

/** 0: none has been chosen yet. */
const portSchema = z.number().int().min(0).max(65_535);

const instanceSchema = z.object({
  identifier: z.string(),
  /** `DbiResourceId`. */
  resourceId: z.string(),
  port: portSchema,
  createdAt: z.iso.datetime(),
  /** Its data are of no use any more: it becomes a new copy of the writer. */
  rebuild: z.boolean().default(false),
});

const clusterSchema = z.object({
  identifier: z.string(),
  /** What the platform calls it, for example the shard's name. */
  name: z.string().optional(),
  /** `DbClusterResourceId`. */
  resourceId: z.string(),
  database: z.string(),
  masterUsername: z.string(),
  masterPassword: z.string(),
  forceSsl: z.boolean(),
  iamAuthentication: z.boolean(),
  port: portSchema,
  createdAt: z.iso.datetime(),
  /** Identifier of the instance that is the primary; of a secondary's, the one that becomes it first. */
  writer: z.string().optional(),
  instances: z.array(instanceSchema),
  conduct: conductSchema.optional(),
  /** Absent: the runtime's. */
  region: z.string().optional(),
  /** The global database that it is a member of, and whether it is the member that takes writes. */
  global: z.object({ identifier: z.string(), primary: z.boolean() }).optional(),
  /** Made of another cluster's data: none of those that the platform's template has. */
  restored: z.boolean().optional(),
  /** Data without an instance: of a cluster that was restored, or whose last instance was deleted. */
  volume: z
    .object({
      state: z.enum(['creating', 'available', 'failed']),
      /** Identifier of the cluster it is restored from, and to when: RFC 3339; absent: as far as possible. */
      source: z.string().optional(),
      time: z.iso.datetime().optional(),
    })
    .optional(),
});

/** What is stored of all clusters. */
export const clustersSchema = z.object({ version: z.literal(1), clusters: z.array(clusterSchema) });

export type InstanceState = z.infer<typeof instanceSchema>;
export type ClusterState = z.infer<typeof clusterSchema>;
export type ClustersState = z.infer<typeof clustersSchema>;

/** A new resource id as RDS makes them: `cluster-` or `db-`, and 26 capital letters and digits. */
export function newResourceId(kind: 'cluster' | 'db'): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const letters = Array.from({ length: 26 }, () => alphabet[randomInt(alphabet.length)]);
  return `${kind}-${letters.join('')}`;
}
