import * as z from 'zod';
import type { PostgresClusters } from '../postgres/clusters.ts';
import { conductSchema } from '../postgres/conduct.ts';
import { type Control, control } from './control-api.ts';

const clusterSchema = z.object({ cluster: z.string() });
const instanceSchema = clusterSchema.extend({ instance: z.string() });
const conditionSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal(['open', 'silent', 'reset']) }),
  z.strictObject({ kind: z.literal('delayed'), ms: z.number().min(0).max(60_000) }),
]);
const trafficSchema = clusterSchema.extend({
  /** `writer`, `reader`, or an instance's identifier. */
  endpoint: z.string(),
  condition: conditionSchema,
  /** Only clients whose `application_name` holds it; a function's is its name. */
  client: z.string().min(1).optional(),
});
const signalSchema = instanceSchema.extend({
  signal: z.enum(['SIGKILL', 'SIGSTOP', 'SIGCONT']),
  /** Only processes whose title holds it, for example `walsender`. */
  part: z.string().min(1).optional(),
});
const administerSchema = instanceSchema.extend({ sql: z.string().min(1), database: z.string().optional() });

/** What happens to databases on AWS and on machines of one's own, and what an administrator does with the latter. */
export function postgresControls(postgres: PostgresClusters): Record<string, Control<unknown>> {
  return {
    'postgres/describe': control(z.object({}), () => ({ clusters: postgres.describe() })),
    'postgres/traffic': control(trafficSchema, ({ cluster, endpoint, condition, client }) =>
      postgres.setTraffic(cluster, endpoint, condition, client),
    ),
    'postgres/signal': control(signalSchema, ({ cluster, instance, signal, part }) =>
      postgres.cluster(cluster).signal(instance, signal, part),
    ),
    'postgres/conduct': control(clusterSchema.extend(conductSchema.shape), ({ cluster, ...change }) =>
      postgres.cluster(cluster).setConduct(change),
    ),
    'postgres/start': control(instanceSchema, ({ cluster, instance }) =>
      postgres.cluster(cluster).startInstance(instance),
    ),
    'postgres/rejoin': control(instanceSchema.extend({ primary: z.string() }), (request) =>
      postgres.cluster(request.cluster).rejoin(request.instance, request.primary),
    ),
    'postgres/administer': control(administerSchema, async ({ cluster, instance, sql, database }) => ({
      rows: await postgres.cluster(cluster).administer(instance, sql, database),
    })),
    /** Answers when nothing is being rebuilt any more. */
    'postgres/settled': control(clusterSchema, ({ cluster }) => postgres.cluster(cluster).settled()),
  };
}
