import type { RouteHandlers } from '../../shared/http-handler.ts';
import type { PurgeLog } from '../purge-log.ts';
import { countsOf, rankingOf, regionsOf } from './answers.ts';
import type { analyticsRoutes } from './contract.ts';
import { day, hour, instant } from './intervals.ts';
import { type Range, type RangeQuery, rangeOf } from './range.ts';
import { resetCounting } from './reset.ts';
import type { Retention } from './retention.ts';
import { Traffic } from './traffic.ts';
import { type Found, type ReaderDependencies, readTraffic } from './traffic-reader.ts';

export interface AnalyticsDependencies extends ReaderDependencies {
  readonly purges: Pick<PurgeLog, 'times'>;
  readonly retention: Pick<Retention, 'hourlyDays'>;
  readonly now: () => Date;
}

interface Question extends RangeQuery {
  readonly tenant?: string | undefined;
}

const note =
  'Logs are delivered by best effort: a few requests may never be logged, and some of the last 24 hours may still come.';
/** Lines of each ranking of a summary. */
const shown = 10;

/** The routes of analytics. */
export function analyticsHandlers(deps: AnalyticsDependencies): RouteHandlers<typeof analyticsRoutes> {
  const ask = async (query: Question) => {
    const { at: resets } = await deps.table.resets();
    const range = rangeOf(query, resets, deps.now());
    const found = await readTraffic(deps, range, query.tenant, query.granularity === 'hour');
    const traffic = new Traffic();
    for (const step of found.steps) traffic.merge(step.traffic);
    const head = { from: instant(range.from), to: instant(range.to), tenant: query.tenant ?? null };
    return { range, found, traffic, head, freshness: freshness(found, resets) };
  };
  const purges = ({ tenant }: Question, { from, to }: Range) => deps.purges.times(from, to, tenant);

  return {
    getAnalytics: async ({ query }) => {
      const { range, traffic, head, freshness } = await ask(query);
      return {
        status: 200,
        body: {
          ...head,
          totals: countsOf(traffic, (await purges(query, range)).length),
          topPaths: rankingOf(traffic.paths, shown),
          countries: rankingOf(traffic.countries, shown),
          edgeLocations: rankingOf(traffic.edges, shown),
          contentTypes: rankingOf(traffic.contentTypes, shown),
          freshness,
        },
      };
    },

    getAnalyticsStats: async ({ query }) => {
      const { range, found, traffic, head, freshness } = await ask(query);
      const purged = await purges(query, range);
      const length = query.granularity === 'hour' ? hour : day;
      const series = found.steps.map((step) => {
        const end = Math.floor(step.start / length) * length + length;
        const own = purged.filter((at) => at >= step.start && at < end).length;
        return { at: instant(step.start), ...countsOf(step.traffic, own) };
      });
      const { granularity } = query;
      const totals = countsOf(traffic, purged.length);
      return { status: 200, body: { ...head, granularity, totals, series, freshness } };
    },

    getAnalyticsPaths: async ({ query }) => {
      const { traffic, head, freshness } = await ask(query);
      return { status: 200, body: { ...head, paths: rankingOf(traffic.paths, query.limit), freshness } };
    },

    getAnalyticsRegions: async ({ query }) => {
      const { traffic, head, freshness } = await ask(query);
      const all = Number.MAX_SAFE_INTEGER;
      return {
        status: 200,
        body: {
          ...head,
          regions: rankingOf(regionsOf(traffic.countries), all),
          countries: rankingOf(traffic.countries, all),
          edgeLocations: rankingOf(traffic.edges, all),
          freshness,
        },
      };
    },

    resetAnalytics: async ({ log }) => {
      const at = await resetCounting(deps.table, deps.retention, deps.now());
      log.info('Counting starts anew', { countedSince: instant(at) });
      return { status: 200, body: { countedSince: instant(at) } };
    },
  };
}

function freshness({ logsLeft }: Found, resets: readonly number[]) {
  const latest = resets.at(-1);
  return { complete: !logsLeft, countedSince: latest === undefined ? null : instant(latest), note };
}
