import type { RouteHandlers } from '../../shared/http-handler.ts';
import type { CloudMetrics } from '../cloud/cloud-metrics.ts';
import type { CloudSeries } from '../cloud/families.ts';
import type { cacheRoutes } from './contract.ts';

/** A cache of this process, and how often it served. */
export interface ProcessCache {
  readonly name: string;
  readonly keptMs: number;
  readonly uses: { readonly hits: number; readonly misses: number };
}

/** The handlers of caches. */
export function cacheHandlers(
  cloud: CloudMetrics,
  caches: readonly ProcessCache[],
): RouteHandlers<typeof cacheRoutes> {
  return {
    caches: async ({ log }) => {
      const { upTo, series } = await cloud.get(log);
      const lookups = (result: string) =>
        series.find(
          ({ family, labels }) => family === 'mainstay_edge_cache_lookups' && labels.result === result,
        )?.value ?? 0;
      const edge = { hits: lookups('hit'), misses: lookups('miss') };
      return {
        status: 200,
        body: {
          checkedAt: upTo === 0 ? null : new Date(upTo).toISOString(),
          edge: { ...edge, hitRate: rateOf(edge) },
          databases: series.flatMap(databaseOf),
          process: caches.map(({ name, keptMs, uses }) => ({
            ...{ name, keptMs, ...uses, hitRate: rateOf(uses) },
          })),
        },
      };
    },
  };
}

const databaseOf = ({ family, labels, value }: CloudSeries) =>
  family === 'mainstay_database_cache_hit_ratio'
    ? [{ shard: labels.shard ?? '', hitRate: Math.min(1, value) }]
    : [];

const rateOf = ({ hits, misses }: ProcessCache['uses']): number | null =>
  hits + misses === 0 ? null : hits / (hits + misses);
