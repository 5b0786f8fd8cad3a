import { advanceBase, latestMs } from './counters.ts';
import { hourMs, hourOf, hoursBetween, nextHour } from './hours.ts';
import { type Taken, takeBatches } from './take-batches.ts';
import { errorKey, Tally } from './tally.ts';
import type { TallyStore } from './tally-store.ts';

/** Hours that one run looks through at most; what lies further back is taken when it goes into the base. */
const mostHours = 60;

/**
 * Takes all batches that wait into the totals of their hours, and hours in which none can come any more into the base.
 *
 * @returns what was taken, and the kinds of error that no hour of the last days nor the base had.
 */
export async function countAll(store: TallyStore, now: () => number): Promise<Taken> {
  const base = await store.base();
  const first = base === undefined ? hourOf(now() - latestMs - hourMs) : nextHour(base.upTo);
  const hours = hoursBetween(first, hourOf(now())).slice(-mostHours);
  const before = await store.totals(base?.upTo ?? '', hourOf(now()));
  const known = new Set(
    [base?.tally, ...before.values()].flatMap((tally) => [...(tally?.errors.keys() ?? [])]),
  );
  const seen = new Tally();
  let batches = 0;
  const found = new Map<string, Taken['newErrors'][number]>();
  for (const hour of hours) {
    const taken = await takeBatches(store, hour, now);
    batches += taken.batches;
    seen.merge(taken.seen);
    for (const error of taken.newErrors) {
      if (!known.has(errorKey(error))) found.set(errorKey(error), error);
    }
  }
  await advanceBase(store, now);
  return { batches, newErrors: [...found.values()], seen };
}
