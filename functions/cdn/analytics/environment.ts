import * as z from 'zod';
import { jsonVariable } from '../../shared/json-variable.ts';
import { CDN_TABLE } from '../environment.ts';
import { retentionSchema } from './retention.ts';
import { websitesSchema } from './tenants.ts';

/** Bucket of the edge’s logs, and of what is too large for an item. */
export const EDGE_LOGS_BUCKET = z.string().min(1);

/** Where traffic is kept, and how long. */
export const trafficEnvironment = {
  CDN_TABLE,
  EDGE_LOGS_BUCKET,
  TRAFFIC_RETENTION: jsonVariable.pipe(retentionSchema),
};

/** Whose websites are behind which host names. */
export const CDN_WEBSITES = jsonVariable.pipe(websitesSchema);
