import type * as z from 'zod';
import type { CircuitBreaker } from '../../shared/circuit-breaker.ts';
import type { RouteHandlers } from '../../shared/http-handler.ts';
import { Problem } from '../../shared/problem.ts';
import { answerProvider, problemOf } from '../provider-problems.ts';
import { supportedBy } from '../providers/abilities.ts';
import type { EdgeAnswer } from '../providers/edge-client.ts';
import { EdgeRequestError } from '../providers/edge-request-error.ts';
import { InvalidItemError, normalisePath, type QueryStrings } from '../providers/normalise.ts';
import type { EdgeProvider } from '../providers/provider.ts';
import type { AskEdge } from '../purge/prove.ts';
import { type AssetUrlDependencies, assetUrl, NoSuchFileError, standingOf } from './asset-url.ts';
import type { assetRoutes } from './contract.ts';
import type { cachePolicySchema } from './model.ts';

export interface AssetsApiDependencies extends AssetUrlDependencies {
  readonly breaker: CircuitBreaker | undefined;
  readonly ask: AskEdge | undefined;
  readonly queryStrings: QueryStrings;
  readonly cachePolicies: readonly z.output<typeof cachePolicySchema>[];
  readonly purgesChangedContent: boolean;
}

/** The routes about the edge and single files. */
export function assetHandlers(deps: AssetsApiDependencies): RouteHandlers<typeof assetRoutes> {
  const { provider, breaker, queryStrings, now } = deps;
  const standing = provider === undefined ? async () => 'no-provider' as const : standingOf(provider, now);
  const pathOf = (field: string, text: string): string => {
    try {
      return normalisePath(text, queryStrings);
    } catch (error) {
      if (!(error instanceof InvalidItemError)) throw error;
      const errors = [{ field, message: error.message }];
      throw new Problem('unprocessable-request', `${field}: ${error.message}.`, { errors });
    }
  };

  return {
    getCdnStatus: async ({ log }) => {
      const { status, error } = await statusOf(provider);
      if (error !== null) log.warn('The edge provider does not say how it stands', { error });
      return {
        status: 200,
        body: {
          provider: provider?.kind ?? null,
          reachable: status !== undefined,
          breaker: breaker?.phase ?? null,
          id: status?.id ?? null,
          domain: status?.domain ?? null,
          enabled: status?.enabled ?? false,
          state: status?.state ?? null,
          purgesInProgress: status?.purgesInProgress ?? null,
          supported: provider === undefined ? [] : supportedBy(provider.abilities),
          signedUrls: deps.sign !== undefined && provider?.abilities.signedUrls === true,
          purgesChangedContent: provider !== undefined && deps.purgesChangedContent,
          cachePolicies: [...deps.cachePolicies],
          error,
        },
      };
    },

    getAssetUrl: async ({ query }) => {
      const path = pathOf('query.path', query.path);
      if (query.signed && provider !== undefined && deps.sign === undefined) {
        const message = provider.abilities.signedUrls
          ? 'URLs are signed with a key group, and none is configured.'
          : `${provider.kind} does not sign URLs.`;
        throw new Problem('conflict', message, {
          errors: [{ field: 'query.signed', message }],
          extensions: { code: 'not-supported', provider: provider.kind },
        });
      }
      try {
        return { status: 200, body: await assetUrl(deps, standing, { ...query, path }) };
      } catch (error) {
        if (error instanceof NoSuchFileError) throw new Problem('not-found', error.message);
        throw provider === undefined ? error : problemOf(error, provider, 'query');
      }
    },

    cachePath: ({ body, log }) =>
      answerProvider(provider, async (edge) => {
        const path = pathOf('body.path', body.path);
        const { domain } = await edge.target({ website: body.website });
        const { ask } = deps;
        if (ask === undefined) throw new Problem('conflict', 'The edge has no address.');
        const first = await reached(() => ask({ domain, path }));
        const { location, cache, status, bytes, durationMs, address } = first;
        const again = cache === 'hit' ? first : await reached(() => ask({ domain, path, address }));
        log.info('Put into the cache', { path, domain, location, cached: again.cache === 'hit' });
        const before = cache === 'hit' ? 'warm' : cache === 'miss' ? 'cold' : 'unknown';
        const cached = again.cache === 'hit';
        return { status: 200, body: { path, domain, location, before, cached, status, bytes, durationMs } };
      }),
  };
}

async function statusOf(provider: EdgeProvider | undefined) {
  if (provider === undefined) return { status: undefined, error: null };
  try {
    return { status: await provider.status(), error: null };
  } catch (error) {
    const problem = problemOf(error, provider, 'query');
    if (!(problem instanceof Problem)) throw error;
    return { status: undefined, error: problem.message };
  }
}

async function reached(run: () => Promise<EdgeAnswer>): Promise<EdgeAnswer> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof EdgeRequestError)) throw error;
    throw new Problem('not-available', `The edge did not answer: ${error.message}`, {
      headers: { 'retry-after': '5' },
      cause: error,
    });
  }
}
