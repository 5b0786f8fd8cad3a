import { gate } from '../access/gate.ts';
import { ProbeStore } from '../failover/probing/probe-store.ts';
import { FailoverStore } from '../failover/store.ts';
import { dynamo, lambda } from '../shared/clients.ts';
import { httpFunction } from '../shared/http-function.ts';
import type { HttpHandlers } from '../shared/http-handler.ts';
import { invoke } from '../shared/invoke.ts';
import { Problem } from '../shared/problem.ts';
import { ShardReader } from '../shared/shards.ts';
import { AnalysisStore } from './balance/analysis/analysis-store.ts';
import { balanceHandlers } from './balance/handlers.ts';
import { runningWork } from './balance/running-work.ts';
import { startAnalysis } from './balance/start-analysis.ts';
import { shardsContract } from './contract.ts';
import { healthResultSchema } from './health/events.ts';
import { HealthStore } from './health/health-store.ts';
import { HealthReports } from './health/report.ts';
import { askInsights } from './insights/ask-insights.ts';
import { MaintenanceStore } from './maintenance/maintenance-store.ts';
import { changeMap } from './map/change-map.ts';
import { MapStore } from './map/map-store.ts';
import type { ShardMap } from './map/shard-map.ts';
import { Places } from './places.ts';
import { route } from './route.ts';
import { shardingView } from './sharding-view.ts';

/** What starting the function inside the network may take beside its own work, in milliseconds. */
const startMs = 5_000;
/** How old the places of shards are at most that clients are told, in milliseconds: they ask when a writer has gone. */
const freshMs = 1_000;

/** Where keys live, how the shards stand and how even they are, and what to move. */
export const handler = httpFunction({
  contract: shardsContract,
  functionContract: shardsContract.functions.api,
  gate,
  handlers: ({
    SHARDS_TABLE,
    RECOVERY_TABLE,
    ANALYZE_FUNCTION_ARN,
    BALANCE: balance,
    SHARDING: sharding,
    HEALTH_FUNCTION_ARN,
    HEALTH_TIMEOUT_MS,
    INSIGHTS_FUNCTION_ARN,
  }): HttpHandlers<typeof shardsContract> => {
    const maps = new MapStore(dynamo(), SHARDS_TABLE);
    const places = new Places(dynamo(), SHARDS_TABLE, new ShardReader(dynamo(), SHARDS_TABLE));
    const now = Date.now;
    const shards = new ShardReader(dynamo(), SHARDS_TABLE, now, freshMs);
    const latest = new Places(dynamo(), SHARDS_TABLE, shards, now, freshMs);
    const maintenance = new MaintenanceStore(dynamo(), SHARDS_TABLE);
    const records = new HealthStore(dynamo(), SHARDS_TABLE);
    const reports = new HealthReports({
      look: async () => {
        const within = HEALTH_TIMEOUT_MS + startMs;
        const { shards: found } = await invoke(lambda(), HEALTH_FUNCTION_ARN, {}, healthResultSchema, within);
        return found;
      },
      recorded: () => records.list(),
      now: () => performance.now(),
    });
    return {
      health: async ({ query, log }) => ({ status: 200, body: await reports.report(query, log) }),
      insights: async ({ query }) => ({
        status: 200,
        body: await askInsights(query, {
          client: lambda(),
          functionArn: INSIGHTS_FUNCTION_ARN,
          store: maintenance,
        }),
      }),
      ...balanceHandlers({
        balance,
        map: () => required(maps),
        shards: () => shards.list(),
        store: new AnalysisStore(dynamo(), SHARDS_TABLE),
        failover: new FailoverStore(dynamo(), SHARDS_TABLE),
        probes: new ProbeStore(dynamo(), SHARDS_TABLE),
        health: () => records.list(),
        work: () => runningWork(dynamo(), RECOVERY_TABLE),
        start: (traceparent) => startAnalysis(lambda(), ANALYZE_FUNCTION_ARN, traceparent),
        now: Date.now,
      }),
      route: async ({ query }) => ({
        status: 200,
        body: await route(query, { map: await required(maps), sharding, places }),
      }),
      sharding: async () => {
        const [map, known, health] = await Promise.all([required(maps), latest.list(), records.list()]);
        return { status: 200, body: shardingView({ map, sharding, places: known, health }) };
      },
      moveSlots: async ({ body }) => {
        const known = (await shards.list()).map(({ name }) => name);
        return { status: 200, body: await changeMap(body, { maps, shards: known, now: () => new Date() }) };
      },
    };
  },
});

async function required(maps: MapStore): Promise<ShardMap> {
  const map = await maps.read();
  if (map === undefined) {
    throw new Problem('not-available', 'There is no shard map yet: the deployment has not been prepared.');
  }
  return map;
}
