import { continents, countries } from 'countries-list';
import { distinctStandardError } from '../../shared/sketches/distinct.ts';
import { sketchRelativeError } from '../../shared/sketches/quantile.ts';
import { TopK } from '../../shared/sketches/top-k.ts';
import type { Counts, Ranking } from './contract.ts';
import type { Traffic } from './traffic.ts';

/** Bytes of a GB, as those count who send bills for them. */
const gigabyte = 1e9;
const percent = (share: number) => Math.round(share * 10_000) / 100;

/** What was counted, as it is shown. */
export function countsOf(traffic: Traffic, purges: number): Counts {
  const { requests, hits, misses, bytes, hitBytes, missBytes, latencyMs } = traffic;
  const [none = 0, informational = 0, fine = 0, redirects = 0, client = 0, server = 0] = traffic.statuses;
  const quantile = (share: number) => {
    const value = latencyMs.quantile(share);
    return value === undefined ? null : Math.round(value * 100) / 100;
  };
  return {
    requests,
    hits,
    misses,
    hitRatePercent: hits + misses === 0 ? null : percent(hits / (hits + misses)),
    byteHitRatePercent: hitBytes + missBytes === 0 ? null : percent(hitBytes / (hitBytes + missBytes)),
    bytes,
    bandwidthGb: bytes / gigabyte,
    clientErrors: client,
    serverErrors: server,
    statuses: { none, '1xx': informational, '2xx': fine, '3xx': redirects, '4xx': client, '5xx': server },
    purges,
    uniqueVisitors: {
      estimate: traffic.visitors.estimate(),
      standardErrorPercent: percent(distinctStandardError),
    },
    latencyMs: {
      p50: quantile(0.5),
      p95: quantile(0.95),
      p99: quantile(0.99),
      relativeErrorPercent: percent(sketchRelativeError),
    },
  };
}

/** The first keys of a ranking, with the bound of its error. */
export function rankingOf(ranking: TopK, limit: number): Ranking {
  return {
    items: ranking.top(limit).map(({ key, count, bytes, hits }) => ({ key, requests: count, bytes, hits })),
    errorRequests: ranking.error,
  };
}

/** Continents by the countries of viewers; countries that nobody knows are their own. */
export function regionsOf(byCountry: TopK): TopK {
  const regions = new TopK(100);
  for (const { key, count, bytes, hits } of byCountry.entries()) {
    regions.add(continentOf(key), count, bytes, hits);
  }
  return TopK.of(100, byCountry.error, regions.entries());
}

const continentByCountry = new Map<string, string>(
  Object.entries(countries).map(([code, { continent }]) => [code, continents[continent]]),
);
const continentOf = (country: string) => continentByCountry.get(country.toUpperCase()) ?? 'Unknown';
