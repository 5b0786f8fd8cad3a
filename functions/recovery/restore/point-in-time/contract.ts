import * as z from 'zod';
import { BACKUPS_BUCKET, EVENT_BUS_NAME, RECOVERY_TABLE, SHARDS_TABLE } from '../../environment.ts';
import * as events from './events.ts';

/** The functions of restores to a point in time; Step Functions itself makes the clusters. */
export const pointInTimeFunctions = {
  /** Outside the VPC: plans, finds, cuts over, completes. `rds:DescribeDBClusters`, `rds:DescribeDBInstances`. */
  'point-in-time': {
    environment: z.object({
      RECOVERY_TABLE,
      SHARDS_TABLE,
      BACKUPS_BUCKET,
      EVENT_BUS_NAME,
      RESTORED_CLUSTER_PREFIX: z.string().endsWith('-').describe('How names of restored clusters begin.'),
    }),
    event: events.pointInTimeEventSchema,
    result: events.pointInTimeResultSchema,
  },
  /** In the VPC, as `mainstay_restore`. */
  'check-point-in-time': {
    environment: z.object({ RECOVERY_TABLE }),
    event: events.checkPointInTimeEventSchema,
    result: events.checkPointInTimeResultSchema,
  },
  /**
   * Outside the VPC; invoked asynchronously for one restore, and hourly with `{}`. `rds:DescribeDBClusters`,
   * `rds:DeleteDBInstance`, `rds:DeleteDBCluster` of restored clusters alone.
   */
  'discard-point-in-time': {
    environment: z.object({ RECOVERY_TABLE, SHARDS_TABLE }),
    event: events.discardPointInTimeEventSchema,
    result: events.discardPointInTimeResultSchema,
  },
};
