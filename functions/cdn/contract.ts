import * as z from 'zod';
import { gateEnvironment } from '../access/environment.ts';
import { defineContract } from '../shared/contract.ts';

export const cdnContract = defineContract({
  name: 'cdn',
  title: 'CDN',
  description: 'Whether the edge does its job: purges, warming, and what the logs of the edge say.',
  routes: {},
  functions: {
    api: {
      environment: gateEnvironment.extend({
        /** Table of the CDN. */
        CDN_TABLE: z.string().min(1),
      }),
    },
  },
});
