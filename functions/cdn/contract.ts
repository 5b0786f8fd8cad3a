import * as z from 'zod';
import { gateEnvironment } from '../access/environment.ts';
import { defineContract } from '../shared/contract.ts';
import { assetRoutes } from './assets/contract.ts';
import { CACHE_POLICIES, CDN_SIGNING, CDN_TABLE } from './environment.ts';
import { purgeRoutes } from './purge/contract.ts';
import { purgeApiEnvironment, purgeFunctions } from './purge/functions.ts';
import { warmingRoutes } from './warming/contract.ts';
import { warmingApiEnvironment, warmingFunctions } from './warming/functions.ts';

export const cdnContract = defineContract({
  name: 'cdn',
  title: 'CDN',
  description: 'Whether the edge does its job: purges, warming, and what the logs of the edge say.',
  routes: { ...assetRoutes, ...purgeRoutes, ...warmingRoutes },
  functions: {
    api: {
      environment: gateEnvironment.extend({
        CDN_TABLE,
        ...purgeApiEnvironment,
        ...warmingApiEnvironment,
        CDN_SIGNING,
        CACHE_POLICIES,
        ASSETS_BUCKET: z.string().min(1).describe('Files that the edge serves.'),
        PURGES_CHANGED_CONTENT: z.enum(['true', 'false']).transform((text) => text === 'true'),
      }),
    },
    ...purgeFunctions,
    ...warmingFunctions,
  },
});
