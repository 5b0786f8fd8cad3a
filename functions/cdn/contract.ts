import * as z from 'zod';
import { gateEnvironment } from '../access/environment.ts';
import { defineContract } from '../shared/contract.ts';
import { analyticsRoutes } from './analytics/contract.ts';
import { CDN_WEBSITES, trafficEnvironment } from './analytics/environment.ts';
import {
  foldEventSchema,
  foldResultSchema,
  logArrivedEventSchema,
  logArrivedResultSchema,
} from './analytics/events.ts';
import { assetRoutes } from './assets/contract.ts';
import { CACHE_POLICIES, CDN_SIGNING } from './environment.ts';
import { purgeRoutes } from './purge/contract.ts';
import { purgeApiEnvironment, purgeFunctions } from './purge/functions.ts';
import { warmingRoutes } from './warming/contract.ts';
import { warmingApiEnvironment, warmingFunctions } from './warming/functions.ts';

export const cdnContract = defineContract({
  name: 'cdn',
  title: 'CDN',
  description: 'Whether the edge does its job: purges, warming, and what the logs of the edge say.',
  routes: { ...analyticsRoutes, ...assetRoutes, ...purgeRoutes, ...warmingRoutes },
  functions: {
    api: {
      environment: gateEnvironment.extend({
        ...trafficEnvironment,
        ...purgeApiEnvironment,
        ...warmingApiEnvironment,
        CDN_SIGNING,
        CACHE_POLICIES,
        ASSETS_BUCKET: z.string().min(1).describe('Files that the edge serves.'),
        PURGES_CHANGED_CONTENT: z.enum(['true', 'false']).transform((text) => text === 'true'),
      }),
    },
    /** Invoked for each log of the edge that has arrived: reads it, and adds what it holds to the table. */
    'ingest-log': {
      environment: z.object({
        ...{ ...trafficEnvironment, CDN_WEBSITES },
        /** Where what tenants have used is counted (`PutItem`). */
        MONITORING_TABLE: z.string().min(1),
      }),
      event: logArrivedEventSchema,
      result: logArrivedResultSchema,
    },
    /** Every ten minutes: folds what logs hold into totals of hours and days. */
    'fold-traffic': {
      environment: z.object(trafficEnvironment),
      event: foldEventSchema,
      result: foldResultSchema,
    },
    ...purgeFunctions,
    ...warmingFunctions,
  },
});
