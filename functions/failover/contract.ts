import * as z from 'zod';
import { gateEnvironment } from '../access/environment.ts';
import { defineContract } from '../shared/contract.ts';
import { concludeEventSchema, concludeResultSchema } from './conclude-events.ts';
import { SELF_MANAGED_INSTANCES } from './discovery/self-managed.ts';
import {
  AUDIT_DAYS,
  AUDIT_TABLE,
  arn,
  EVENT_BUS_NAME,
  PROBE_INTERVAL_SECONDS,
  PROBE_TIMEOUT_MS,
  SHARDS_TABLE,
  WRITER_ALARM_PREFIX,
} from './environment.ts';
import { failoverEventSchema, failoverResultSchema } from './events.ts';
import { operateEventSchema, operateResultSchema } from './phases/events.ts';
import { FAILOVER_POLICY } from './policy.ts';
import { probeEventSchema, probeResultSchema } from './probing/events.ts';
import { failoverRoutes } from './routes.ts';

const telling = { EVENT_BUS_NAME, AUDIT_TABLE, AUDIT_DAYS };

/** What happens when the writer of a shard does not serve: noticed, decided once, acted on, proved. */
export const failoverContract = defineContract({
  name: 'failover',
  title: 'Failover',
  description:
    'A writer does not serve: who notices, who decides, what is lost, how soon can be written again?',
  routes: failoverRoutes,
  functions: {
    /**
     * In the VPC, as `mainstay_probe`, every minute: probes all shards in each slot of that minute. Reads the items `SHARD`,
     * `INSTANCES` and `PROBE` of the shards table, writes `PROBE`.
     */
    probe: {
      environment: z.object({ SHARDS_TABLE, PROBE_INTERVAL_SECONDS, PROBE_TIMEOUT_MS }),
      event: probeEventSchema,
      result: probeResultSchema,
    },
    /** Outside the VPC: reads the items of the shards table, and invokes `failover` for all else. */
    api: {
      environment: z.object({
        ...gateEnvironment.shape,
        SHARDS_TABLE,
        FAILOVER_POLICY,
        FAILOVER_FUNCTION_ARN: arn.describe('Decides, and is invoked synchronously.'),
      }),
    },
    /**
     * Outside the VPC: the action of the alarms on writers, the watchdog of every minute, and what the API invokes. Finds the
     * instances (`rds:DescribeDBClusters`, `rds:DescribeDBInstances`), has `operate` look, writes `FAILOVER`, starts the workflow.
     */
    failover: {
      environment: z.object({
        ...telling,
        SHARDS_TABLE,
        FAILOVER_POLICY,
        SELF_MANAGED_INSTANCES,
        WRITER_ALARM_PREFIX,
        FAILOVER_STATE_MACHINE_ARN: arn,
        OPERATE_FUNCTION_ARN: arn.describe('Looks at instances from inside the network.'),
      }),
      event: failoverEventSchema,
      result: failoverResultSchema,
    },
    /**
     * In the VPC, as `mainstay_failover`: looks at the instances of a shard, fences, promotes, proves a writer and moves the shard
     * map.
     */
    operate: {
      environment: z.object({ SHARDS_TABLE }),
      event: operateEventSchema,
      result: operateResultSchema,
    },
    /** Outside the VPC: the end of the workflow, and the target of the rule on executions that ended badly. */
    'conclude-failover': {
      environment: z.object({ ...telling, SHARDS_TABLE, FAILOVER_POLICY }),
      event: concludeEventSchema,
      result: concludeResultSchema,
    },
  },
});
