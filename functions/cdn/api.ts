import { GetObjectCommand } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { gate } from '../access/gate.ts';
import { dynamo, presigningS3, s3, scheduler, secretsManager, stepFunctions } from '../shared/clients.ts';
import { httpFunction } from '../shared/http-function.ts';
import type { HttpHandlers } from '../shared/http-handler.ts';
import { AnalyticsTable } from './analytics/analytics-table.ts';
import { BundleStore } from './analytics/bundle-store.ts';
import { analyticsHandlers } from './analytics/handlers.ts';
import { assetHandlers } from './assets/assets-api.ts';
import { contentVersion } from './assets/content-version.ts';
import { urlSigner } from './assets/sign-url.ts';
import { cdnContract } from './contract.ts';
import { edgeClientOf, providerOf } from './parts.ts';
import { edgeUrlOf } from './providers/settings.ts';
import { secretReader } from './providers/token.ts';
import { purgeHandlers } from './purge/purge-api.ts';
import { PurgeStore } from './purge/store.ts';
import { PurgeLog } from './purge-log.ts';
import { executionStarter } from './start-execution.ts';
import { popularPathsOf } from './warming/popular-paths.ts';
import { ScheduleStore } from './warming/schedules/schedule-store.ts';
import { scheduleHandlers } from './warming/schedules/schedules-api.ts';
import { WarmingSchedules } from './warming/schedules/warming-schedules.ts';
import { WarmingStore } from './warming/store.ts';
import { warmingHandlers } from './warming/warming-api.ts';

/** For one request to the edge, in milliseconds: two of them are answered within the function's time. */
const edgeMs = 12_000;

/** The API of the CDN. Each part brings the handlers of its own routes. */
export const handler = httpFunction({
  contract: cdnContract,
  functionContract: cdnContract.functions.api,
  gate,
  handlers: (environment): HttpHandlers<typeof cdnContract> => {
    const { CDN_TABLE, CDN_PROVIDER: settings, CDN_SIGNING: signing, ASSETS_BUCKET } = environment;
    const guarded = providerOf(settings);
    const provider = guarded?.provider;
    const queryStrings = settings.kind === 'none' ? 'ignored' : settings.queryStrings;
    const edge = edgeClientOf(settings, { totalMs: edgeMs });
    const purges = new PurgeStore(dynamo(), CDN_TABLE);
    const now = Date.now;
    const table = new AnalyticsTable(dynamo(), CDN_TABLE);
    const bundles = new BundleStore(s3(), environment.EDGE_LOGS_BUCKET);
    const locations = settings.kind === 'cloudfront' ? settings.locations : [];
    return {
      ...analyticsHandlers({
        table,
        bundles,
        purges: new PurgeLog(dynamo(), CDN_TABLE),
        retention: environment.TRAFFIC_RETENTION,
        now: () => new Date(),
      }),
      ...assetHandlers({
        ...{ provider, breaker: guarded?.breaker, queryStrings, now },
        ask: edge && ((request) => edge.get(request)),
        versionOf: (key) => contentVersion(s3(), ASSETS_BUCKET, key),
        originUrl: (Key, expiresIn) =>
          getSignedUrl(presigningS3(), new GetObjectCommand({ Bucket: ASSETS_BUCKET, Key }), { expiresIn }),
        sign:
          signing === null
            ? undefined
            : urlSigner(signing.publicKeyId, secretReader(secretsManager(), signing.privateKeySecretArn)),
        edgeUrl: (domain) => (settings.kind === 'none' ? `https://${domain}` : edgeUrlOf(settings, domain)),
        cachePolicies: environment.CACHE_POLICIES,
        purgesChangedContent: environment.PURGES_CHANGED_CONTENT,
      }),
      ...warmingHandlers({
        ...{ provider, queryStrings, locations, now, userPaths: environment.USER_PATHS },
        popularPaths: popularPathsOf({ table, bundles, queryStrings, now }),
        warmings: new WarmingStore(dynamo(), CDN_TABLE),
        startWarming: executionStarter(stepFunctions(), environment.WARMING_STATE_MACHINE_ARN),
      }),
      ...scheduleHandlers({
        ...{ provider, queryStrings, locations, now },
        schedules: new ScheduleStore(dynamo(), CDN_TABLE),
        scheduler: new WarmingSchedules(scheduler(), {
          group: environment.SCHEDULE_GROUP,
          stateMachineArn: environment.WARMING_STATE_MACHINE_ARN,
          roleArn: environment.SCHEDULE_ROLE_ARN,
        }),
      }),
      ...purgeHandlers({
        ...{ provider, queryStrings, purges, now },
        startPurge: executionStarter(stepFunctions(), environment.PURGE_STATE_MACHINE_ARN),
      }),
    };
  },
});
