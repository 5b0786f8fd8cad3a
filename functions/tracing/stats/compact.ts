import { hourMs, hourOf, shards } from '../store/keys.ts';
import { slotMs } from './aggregate.ts';
import type { StatsStore } from './stats-store.ts';

/** Hours whose statistics are compacted each time; in them nearly all spans come. */
const recentHours = 3;

/**
 * Compacts the statistics of the latest hours, and of one earlier hour in turn, in which spans may have come late.
 *
 * @param inTime whether there is time for more; what is left is for the next time.
 * @returns how many items were replaced.
 */
export async function compactStats(
  store: Pick<StatsStore, 'compact'>,
  { now, retentionDays, inTime }: { now: number; retentionDays: number; inTime: () => boolean },
): Promise<number> {
  const hour = hourOf(now);
  const turn = Math.floor(now / slotMs) % (retentionDays * 24);
  const hours = [...Array.from({ length: recentHours }, (_, back) => hour - back), hour - recentHours - turn];
  let replaced = 0;
  for (const each of hours) {
    for (let shard = 0; shard < shards; shard += 1) {
      if (!inTime()) return replaced;
      replaced += await store.compact(each, shard, retentionDays);
    }
  }
  return replaced;
}

/** How often it is done: while an hour lasts, no more than this many minutes of it are read request by request. */
export const compactEveryMinutes = slotMs / (hourMs / 60);
