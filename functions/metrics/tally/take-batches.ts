import { type ErrorTally, errorKey, Tally } from './tally.ts';
import type { TallyStore, Total } from './tally-store.ts';

/** Batches that one write takes, and how many writes one run makes for an hour. */
const batchesOfWrite = 100;
const writesOfRun = 50;

export interface Taken {
  readonly batches: number;
  /** Errors of a kind that was not known before. */
  readonly newErrors: readonly ErrorTally[];
  /** All that the batches had. */
  readonly seen: Tally;
}

/**
 * Takes the batches of an hour that wait into its total, each once, however often it came. Whatever breaks in between: what a write took is
 * named by it, and settled before anything else is taken. When another run is at work, this one ends.
 */
export async function takeBatches(
  store: TallyStore,
  hour: string,
  now: () => number,
  most = writesOfRun,
): Promise<Taken> {
  let total = await store.total(hour);
  for (const id of total.taken) await store.settle(hour, id, now());
  const newErrors: ErrorTally[] = [];
  const seen = new Tally();
  let batches = 0;
  for (let write = 0; write < most; write += 1) {
    const waiting = await store.waiting(hour, batchesOfWrite);
    if (waiting.length === 0) break;
    const known = await Promise.all(waiting.map(({ id }) => store.wasTaken(hour, id)));
    const fresh = waiting.filter((_, index) => known[index] === false);
    if (fresh.length > 0) {
      const before = new Set(total.tally.errors.keys());
      for (const { tally } of fresh) total.tally.merge(tally);
      const written: Total = { ...total, taken: fresh.map(({ id }) => id) };
      if (!(await store.putTotal(hour, written, now()))) break;
      total = { ...written, version: total.version + 1 };
      newErrors.push(...unknownTo(before, total.tally));
      for (const { tally } of fresh) seen.merge(tally);
      batches += fresh.length;
    }
    for (const { id } of waiting) await store.settle(hour, id, now());
  }
  return { batches, newErrors, seen };
}

const unknownTo = (before: ReadonlySet<string>, tally: Tally): ErrorTally[] =>
  [...tally.errors.values()].filter((error) => !before.has(errorKey(error)));
