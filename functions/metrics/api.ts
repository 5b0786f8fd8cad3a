import { cacheMs, keyCache } from '../access/authenticate.ts';
import { gate } from '../access/gate.ts';
import { cloudWatch, dynamo } from '../shared/clients.ts';
import { httpFunction } from '../shared/http-function.ts';
import type { HttpHandlers } from '../shared/http-handler.ts';
import { KeptAnswer } from '../shared/kept-answer.ts';
import { Alerts } from './alerts/alerts.ts';
import { cacheHandlers } from './caches/handlers.ts';
import { CloudMetrics } from './cloud/cloud-metrics.ts';
import { CloudStore } from './cloud/cloud-store.ts';
import { metricsContract } from './contract.ts';
import { scrapeHandlers } from './exposition/scrape.ts';
import { ReportedStore } from './reported/reported-store.ts';
import { summaryHandlers } from './summary/handlers.ts';
import { systemHandlers } from './system/handlers.ts';
import { allCounted } from './tally/counters.ts';
import { TallyStore } from './tally/tally-store.ts';

/** How long what was counted serves before it is read again, in ms: several scrapers cost one reading. */
const keptMs = 10_000;

/** Metrics and alarms. */
export const handler = httpFunction({
  contract: metricsContract,
  functionContract: metricsContract.functions.api,
  gate,
  handlers: (environment): HttpHandlers<typeof metricsContract> => {
    const store = new TallyStore(dynamo(), environment.MONITORING_TABLE);
    const counted = new KeptAnswer(() => allCounted(store, Date.now()), keptMs);
    const build = { environment: environment.MAINSTAY_ENVIRONMENT, version: environment.MAINSTAY_VERSION };
    const memoryLimitBytes = environment.AWS_LAMBDA_FUNCTION_MEMORY_SIZE * 1024 * 1024;
    const reports = new ReportedStore(dynamo(), environment.MONITORING_TABLE, Date.now);
    const reported = new KeptAnswer(() => reports.all(), keptMs);
    const alerts = new Alerts(cloudWatch(), environment.ALARM_PREFIX, Date.now);
    const cloud = new CloudMetrics(new CloudStore(dynamo(), environment.MONITORING_TABLE), Date.now);
    const caches = [
      { name: 'keys', keptMs: cacheMs, uses: keyCache },
      ...Object.entries({ counted, reported, cloud, alerts }).map(([name, { uses }]) => ({
        name,
        keptMs,
        uses,
      })),
    ];
    return {
      ...summaryHandlers({ store, counted, reported, cloud, now: Date.now }),
      alerts: async ({ query }) => ({ status: 200, body: await alerts.list(query) }),
      ...systemHandlers({ store, build, memoryLimitBytes, now: Date.now }),
      ...cacheHandlers(cloud, caches),
      ...scrapeHandlers({ counted, reported, cloud, now: Date.now, build }),
    };
  },
});
