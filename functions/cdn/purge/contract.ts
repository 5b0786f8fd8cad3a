import * as z from 'zod';
import type { RouteContract } from '../../shared/contract.ts';
import { purgeIdSchema } from '../ids.ts';
import { purgeBodySchema, purgeSchema } from './model.ts';

const params = z.strictObject({ purgeId: purgeIdSchema });
const followed = { Location: 'Where to follow it.' };
const notFound = { description: 'There is no purge of that id.' };

/** The routes of purges. */
export const purgeRoutes = {
  startPurge: {
    method: 'POST',
    path: '/api/cdn/purge',
    scope: 'admin',
    once: {},
    summary: 'Purge content from the edge',
    description:
      'Paths are put into one spelling, and those left out that are there twice or covered by a prefix. What is more than the provider allows at the same time waits. It is done when every edge location has forgotten the content; with `verify`, when one has shown that.',
    body: purgeBodySchema,
    responses: {
      202: { description: 'Accepted.', schema: purgeSchema, headers: followed },
      409: {
        description:
          'There is no provider, or it cannot do this: `supported` lists what it can. Or it has refused to say which website is meant.',
      },
      422: { description: 'A path or a tag is none, or there is no such website.' },
    },
  },
  getPurge: {
    method: 'GET',
    path: '/api/cdn/purge/{purgeId}',
    scope: 'cdn:read',
    summary: 'One purge, with its proof',
    params,
    responses: { 200: { description: 'The purge.', schema: purgeSchema }, 404: notFound },
  },
  cancelPurge: {
    method: 'POST',
    path: '/api/cdn/purge/{purgeId}/cancel',
    scope: 'admin',
    summary: 'Cancel a purge',
    description:
      'What the provider has been told cannot be taken back; the rest is not told any more. Canceling twice is the same as once.',
    params,
    responses: {
      202: { description: 'Accepted.', schema: purgeSchema, headers: followed },
      404: notFound,
      409: { description: 'The provider has been told everything, or it has ended.' },
    },
  },
} as const satisfies Record<string, RouteContract>;
