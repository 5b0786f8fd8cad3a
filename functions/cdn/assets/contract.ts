import type { RouteContract } from '../../shared/contract.ts';
import { assetUrlSchema, cacheBodySchema, cachedSchema, statusSchema, urlQuerySchema } from './model.ts';

/** The routes about the edge and single files. */
export const assetRoutes = {
  getCdnStatus: {
    method: 'GET',
    path: '/api/cdn/status',
    scope: 'cdn:read',
    summary: 'How the edge stands',
    description: 'Also where no provider is configured, or where it does not answer.',
    responses: { 200: { description: 'The edge.', schema: statusSchema } },
  },
  getAssetUrl: {
    method: 'GET',
    path: '/api/cdn/url',
    scope: 'cdn:read',
    summary: 'The URL of a file',
    description:
      'At the edge; of the origin, for a while, where no provider is configured, reachable or enabled. What edges keep does not depend on query strings: the version in the URL is for browsers.',
    query: urlQuerySchema,
    responses: {
      200: { description: 'The URL.', schema: assetUrlSchema },
      404: { description: 'There is no such file in the assets bucket.' },
      409: { description: 'The provider does not sign URLs, or no key is configured for it.' },
      422: { description: 'It is no path, or there is no such website.' },
    },
  },
  cachePath: {
    method: 'POST',
    path: '/api/cdn/cache',
    scope: 'admin',
    summary: 'Put one path into the cache now',
    description:
      'Asks the nearest edge location for it, as a viewer does, and once more to see that it has it.',
    body: cacheBodySchema,
    responses: {
      200: {
        description: 'What the edge has answered; `cached` says whether it has it now.',
        schema: cachedSchema,
      },
      409: { description: 'There is no provider.' },
      422: { description: 'It is no path, or there is no such website.' },
    },
  },
} as const satisfies Record<string, RouteContract>;
