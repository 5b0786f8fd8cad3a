import * as z from 'zod';
import { jsonVariable } from '../../shared/json-variable.ts';
import { EDGE_LOGS_BUCKET } from '../analytics/environment.ts';
import { AUDIT_DAYS, AUDIT_TABLE, arn, CDN_PROVIDER, CDN_TABLE, EVENT_BUS_NAME } from '../environment.ts';
import { runWarmingEventSchema, runWarmingResultSchema } from './events.ts';

/** What the API needs for warming. */
export const warmingApiEnvironment = {
  WARMING_STATE_MACHINE_ARN: arn,
  SCHEDULE_GROUP: z.string().min(1).describe('Group of the schedules that start warmings.'),
  SCHEDULE_ROLE_ARN: arn.describe('The role that EventBridge Scheduler assumes.'),
  USER_PATHS: jsonVariable.pipe(z.array(z.string())).describe('Templates of the paths of one user.'),
};

/** The functions of warming. */
export const warmingFunctions = {
  /** A turn of the workflow, and the target of the rule on executions that ended badly: asks the edge. */
  'run-warming': {
    environment: z.object({
      ...{ CDN_TABLE, CDN_PROVIDER, EVENT_BUS_NAME, AUDIT_TABLE, AUDIT_DAYS },
      EDGE_LOGS_BUCKET,
      REQUESTS_PER_SECOND: z.coerce.number().min(1).max(1_000).describe('Of one host, at most.'),
    }),
    event: runWarmingEventSchema,
    result: runWarmingResultSchema,
  },
};
