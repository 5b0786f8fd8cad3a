import { setTimeout as delay } from 'node:timers/promises';
import { CloudFrontClient } from '@aws-sdk/client-cloudfront';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { purgeIdSchema, warmingIdSchema } from '../../functions/cdn/ids.ts';
import { CloudFront } from '../../functions/cdn/providers/cloudfront.ts';
import { EdgeClient } from '../../functions/cdn/providers/edge-client.ts';
import { providerSettingsSchema } from '../../functions/cdn/providers/settings.ts';
import { purgeBodySchema } from '../../functions/cdn/purge/model.ts';
import { newPurge } from '../../functions/cdn/purge/request.ts';
import { runTurn as runPurgeTurn } from '../../functions/cdn/purge/run-turn.ts';
import { PurgeStore } from '../../functions/cdn/purge/store.ts';
import { QueueStore } from '../../functions/cdn/queue/queue-store.ts';
import { VersionedItems } from '../../functions/cdn/versioned-items.ts';
import { newWarming } from '../../functions/cdn/warming/request.ts';
import { runTurn as runWarmingTurn } from '../../functions/cdn/warming/run-turn.ts';
import { WarmingStore } from '../../functions/cdn/warming/store.ts';
import { CircuitBreaker } from '../../functions/shared/circuit-breaker.ts';
import { newId } from '../../functions/shared/ids.ts';

/** As many as CloudFront takes at once. */
export const paths: readonly string[] = Array.from({ length: 3_000 }, (_, index) => `/media/${index}.png`);

/** Where what is measured stores and asks. */
export interface Place {
  readonly url: string;
  readonly client: DynamoDBDocumentClient;
  readonly table: string;
}

const domain = 'bench.example.com';
const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
const quiet = { announcer: { announce: async () => {} }, record: async () => {} };

/** A purge of all paths, from the request to its end. */
export async function purgeOf({ url, client, table }: Place): Promise<void> {
  const settings = providerSettingsSchema.parse({ kind: 'cloudfront', domain, distributionId: 'E1' });
  if (settings.kind !== 'cloudfront') throw new Error('not CloudFront');
  const cloudFront = new CloudFrontClient({
    ...{
      endpoint: url,
      region: 'us-east-1',
      credentials: { accessKeyId: 'bench', secretAccessKey: 'bench' },
    },
  });
  const provider = new CloudFront(cloudFront, settings, new CircuitBreaker('bench'));
  const store = new PurgeStore(client, table);
  const items = new VersionedItems(client, table);
  const edge = new EdgeClient({ kind: 'cloudfront', domain, edgeUrl: url });
  const id = purgeIdSchema.parse(newId());
  const about = { id, requestedBy: 'bench', traceparent, now: Date.now() };
  const made = await newPurge(provider, purgeBodySchema.parse({ paths: [...paths] }), 'ignored', about);
  await store.create(made.record, made.items, { rewarm: made.rewarm });
  const deps = {
    ...{ store, provider, now: Date.now, hasTime: () => true },
    queueOf: (target: string, capacity: Record<string, number>) =>
      new QueueStore(items, target, capacity, Date.now),
    ask: (request: Parameters<typeof edge.get>[0]) => edge.get(request),
    startWarming: () => Promise.reject(new Error('nothing is warmed')),
    warmingState: async () => undefined,
  };
  const { outcome } = await runPurgeTurn(deps, { ...quiet, store }, id);
  cloudFront.destroy();
  if (outcome !== 'ended') throw new Error('The purge has not ended.');
}

/** A warming of all paths, from the request to its end. */
export async function warmingOf({ url, client, table }: Place, concurrency: number): Promise<void> {
  const store = new WarmingStore(client, table);
  const edge = new EdgeClient({ kind: 'cloudfront', domain, edgeUrl: url });
  const id = warmingIdSchema.parse(newId());
  const asking = { priority: 'normal' as const, concurrency, imageFormats: [] };
  const about = { id, trigger: 'api' as const, traceparent, now: Date.now() };
  const made = newWarming(paths, asking, { domain, locations: [] }, 'ignored', about);
  await store.create(made.record, made.wanted);
  const deps = {
    ...{ store, now: Date.now, sleep: delay, hasTime: () => true, requestsPerSecond: 1_000_000 },
    queue: new QueueStore(new VersionedItems(client, table), newId(), { warmings: 1 }, Date.now),
    ask: (request: Parameters<typeof edge.get>[0]) => edge.get(request),
  };
  const { outcome } = await runWarmingTurn(deps, { ...quiet, store }, id);
  if (outcome !== 'ended') throw new Error('The warming has not ended.');
}
