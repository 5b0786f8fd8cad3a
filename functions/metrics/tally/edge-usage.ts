import { latestMs } from './counters.ts';
import { hourOf } from './hours.ts';
import { Tally } from './tally.ts';
import type { TallyStore } from './tally-store.ts';

/** What a log of the edge says that tenants have used. */
export interface EdgeUsage {
  /** Of the log: the same log is the same batch. */
  readonly id: string;
  /** When it arrived, in ms since 1970. */
  readonly arrivedMs: number;
  /** By tenant. */
  readonly used: ReadonlyMap<string, { readonly requests: number; readonly bytes: number }>;
}

/**
 * Hands what tenants have used of the edge on to be counted. A log that is delivered again changes nothing, and one that comes later than
 * anything is delivered is left out.
 */
export async function countEdgeUsage(
  store: Pick<TallyStore, 'addBatch'>,
  { id, arrivedMs, used }: EdgeUsage,
  now: number,
): Promise<void> {
  if (used.size === 0 || arrivedMs < now - latestMs) return;
  const tally = new Tally();
  for (const [name, { requests, bytes }] of used) {
    const tenant = tally.tenant(name);
    tenant.edgeRequests += requests;
    tenant.edgeBytes += bytes;
  }
  await store.addBatch(hourOf(arrivedMs), { id: `edge-${id}`, tally }, now);
}
