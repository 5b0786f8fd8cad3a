import { createHash } from 'node:crypto';
import { decodeTime, ulid } from 'ulid';
import { type PurgeId, type WarmingId, warmingIdSchema } from '../ids.ts';
import { idToStart, notStarted } from '../not-started.ts';
import type { QueryStrings } from '../providers/normalise.ts';
import type { PurgeRecord } from '../purge/record.ts';
import type { StartExecution } from '../start-execution.ts';
import type { Wanted, WarmingRecord } from './record.ts';
import { newWarming, type Place } from './request.ts';
import type { WarmingStore } from './store.ts';

type Store = Pick<WarmingStore, 'create' | 'get' | 'save'>;

/** Makes a warming and starts it; both are the same when done again. @throws DependencyError: it has failed, and is not run. */
export async function startWarming(
  store: Store,
  start: StartExecution,
  { record, wanted }: { readonly record: WarmingRecord; readonly wanted: Wanted },
  now: number,
): Promise<void> {
  const { id, traceparent } = record;
  await store.create(record, wanted);
  try {
    await start(id, { traceparent });
  } catch (error) {
    const known = await store.get(id);
    // What has left the queue was started after all, by an attempt whose answer was lost.
    if (known?.state === 'queued') {
      const finishedAt = new Date(now).toISOString();
      await store.save({ ...known, state: 'failed', finishedAt, error: notStarted });
    }
    throw error;
  }
}

/** Starts the warming that follows a purge, before all that is less urgent. @throws DependencyError */
export async function warmAfterPurge(
  store: Store,
  start: StartExecution,
  purge: PurgeRecord,
  paths: readonly string[],
  locations: Place['locations'],
  now: number,
): Promise<WarmingId> {
  const id = await idToStart(warmingIdSchema, warmingOf(purge.id), (known) => store.get(known));
  const { traceparent, requestedBy, target } = purge;
  const asking = { priority: 'high' as const, concurrency: 5, imageFormats: [] };
  const place = { domain: target.domain, locations };
  const about = { id, trigger: 'purge' as const, requestedBy, traceparent, now };
  // They are normalised, and what of a query string matters is in them.
  const kept: QueryStrings = 'kept';
  await startWarming(store, start, newWarming(paths, asking, place, kept, about), now);
  return id;
}

/** The warming of a purge: of the same time, and always the same. */
export function warmingOf(purge: PurgeId): WarmingId {
  const digest = createHash('sha256').update(`warming after ${purge}`).digest().values();
  return warmingIdSchema.parse(ulid(decodeTime(purge), () => ((digest.next().value ?? 0) & 31) / 32));
}
