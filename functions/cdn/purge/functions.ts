import * as z from 'zod';
import { AUDIT_DAYS, AUDIT_TABLE, arn, CDN_PROVIDER, CDN_TABLE, EVENT_BUS_NAME } from '../environment.ts';
import {
  contentChangedEventSchema,
  contentChangedResultSchema,
  runPurgeEventSchema,
  runPurgeResultSchema,
} from './events.ts';

/** What the API needs for purges. */
export const purgeApiEnvironment = { CDN_PROVIDER, PURGE_STATE_MACHINE_ARN: arn };

/** The functions of purges. */
export const purgeFunctions = {
  /** A turn of the workflow, and the target of the rule on executions that ended badly: asks the provider and the edge. */
  'run-purge': {
    environment: z.object({
      ...{ CDN_TABLE, CDN_PROVIDER, EVENT_BUS_NAME, AUDIT_TABLE, AUDIT_DAYS },
      WARMING_STATE_MACHINE_ARN: arn.describe('What follows a purge with `rewarm`.'),
    }),
    event: runPurgeEventSchema,
    result: runPurgeResultSchema,
  },
  /** An object of the assets bucket has changed: notes it, and has the workflow started. */
  'content-changed': {
    environment: z.object({ CDN_TABLE, CDN_PROVIDER, PURGE_STATE_MACHINE_ARN: arn }),
    event: contentChangedEventSchema,
    result: contentChangedResultSchema,
  },
};
