import { createHash } from 'node:crypto';
import { decodeTime, ulid } from 'ulid';
import { type PurgeId, type WarmingId, warmingIdSchema } from '../ids.ts';
import type { QueryStrings } from '../providers/normalise.ts';
import type { PurgeRecord } from '../purge/record.ts';
import type { StartExecution } from '../start-execution.ts';
import type { Wanted, WarmingRecord } from './record.ts';
import { newWarming, type Place } from './request.ts';
import type { WarmingStore } from './store.ts';

/** Makes a warming and starts it; both are the same when done again. @throws DependencyError */
export async function startWarming(
  store: Pick<WarmingStore, 'create'>,
  start: StartExecution,
  { record, wanted }: { readonly record: WarmingRecord; readonly wanted: Wanted },
): Promise<void> {
  await store.create(record, wanted);
  await start(record.id, { traceparent: record.traceparent });
}

/** Starts the warming that follows a purge, before all that is less urgent. @throws DependencyError */
export async function warmAfterPurge(
  store: Pick<WarmingStore, 'create'>,
  start: StartExecution,
  purge: PurgeRecord,
  paths: readonly string[],
  locations: Place['locations'],
  now: number,
): Promise<WarmingId> {
  const id = warmingOf(purge.id);
  const { traceparent, requestedBy, target } = purge;
  const asking = { priority: 'high' as const, concurrency: 5, imageFormats: [] };
  const place = { domain: target.domain, locations };
  const about = { id, trigger: 'purge' as const, requestedBy, traceparent, now };
  // They are normalised, and what of a query string matters is in them.
  const kept: QueryStrings = 'kept';
  await startWarming(store, start, newWarming(paths, asking, place, kept, about));
  return id;
}

/** The warming of a purge: of the same time, and always the same. */
export function warmingOf(purge: PurgeId): WarmingId {
  const digest = createHash('sha256').update(`warming after ${purge}`).digest().values();
  return warmingIdSchema.parse(ulid(decodeTime(purge), () => ((digest.next().value ?? 0) & 31) / 32));
}
