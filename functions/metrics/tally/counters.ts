import { hourMs, hourOf, hoursBetween, nextHour, startOf } from './hours.ts';
import { takeBatches } from './take-batches.ts';
import { Tally } from './tally.ts';
import type { TallyStore } from './tally-store.ts';

/** How late a batch may come: longer than Lambda tries an event again. What comes later is not counted. */
export const latestMs = 7 * hourMs;

/** Hours that one run adds to the base: a platform that stood still catches up over several. */
const hoursOfRun = 48;

/** How long a kind of error is remembered that has not occurred again. */
const rememberedMs = 30 * 24 * hourMs;

/**
 * Takes the totals of hours in which nothing can come any more into the base. Counters are read from it, and from the hours after it.
 *
 * @returns how many hours were taken.
 */
export async function advanceBase(store: TallyStore, now: () => number): Promise<number> {
  const last = hourOf(now() - latestMs - hourMs);
  let base = await store.base();
  if (base === undefined) {
    const begun = { tally: new Tally(), version: 0, upTo: last };
    await store.putBase(begun);
    return 0;
  }
  let hours = 0;
  for (let hour = nextHour(base.upTo); hour <= last && hours < hoursOfRun; hour = nextHour(hour)) {
    await takeBatches(store, hour, now);
    base.tally.merge((await store.total(hour)).tally);
    for (const [key, { lastAt }] of base.tally.errors) {
      if (lastAt < startOf(hour) - rememberedMs) base.tally.errors.delete(key);
    }
    if (!(await store.putBase({ ...base, upTo: hour }))) return hours;
    base = { ...base, upTo: hour, version: base.version + 1 };
    hours += 1;
  }
  return hours;
}

/**
 * Everything that was ever counted, as of the last taking of batches: at most a minute ago. It only grows.
 *
 * @param store is asked for one item, and one page of at most a few hours.
 */
export async function allCounted(store: TallyStore, now: number): Promise<Tally> {
  // The hours first: one that moves into the base in between would be missing otherwise.
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const before = await store.base();
    const first = before === undefined ? hourOf(now - latestMs - hourMs) : nextHour(before.upTo);
    const hours = await store.totals(first, hourOf(now));
    if (before !== undefined && (await store.base())?.version !== before.version) continue;
    const all = before?.tally ?? new Tally();
    for (const tally of hours.values()) all.merge(tally);
    return all;
  }
  throw new Error('The base of counters moves faster than it is read.');
}

/** What was counted from one moment to another, by whole hours. */
export async function countedBetween(store: TallyStore, fromMs: number, toMs: number): Promise<Tally> {
  const all = new Tally();
  const hours = await store.totals(hourOf(fromMs), hourOf(toMs));
  for (const hour of hoursBetween(hourOf(fromMs), hourOf(toMs))) {
    const tally = hours.get(hour);
    if (tally !== undefined) all.merge(tally);
  }
  return all;
}
