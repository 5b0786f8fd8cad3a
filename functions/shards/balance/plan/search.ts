import type { Draft } from './draft.ts';
import { aimOf, at, negligible } from './problem.ts';

/** With more slots to decide about than this, or more states looked at, the search is given up: it doubles with each. */
const mostSlots = 20;
const mostStates = 100_000;

/**
 * The plan that reaches the threshold with the least load moved, found by trying: where there are few slots, a piece too much
 * is a large part of a plan. Branches are left that cannot become lighter than the best so far.
 *
 * @param found what is to be beaten; undefined where nothing reaches the threshold yet.
 * @param feasible whether moves can be done one after the other without making the state worse.
 * @returns a better plan, where there is one and it is found in bounded time.
 */
export function searchBest(
  start: Draft,
  threshold: number,
  found: Draft | undefined,
  feasible: (end: Draft) => boolean,
): Draft | undefined {
  const { problem, weights, floors } = start.shares;
  const shards = problem.shards.map((_, index) => index);
  const slots = shards
    .filter((shard) => problem.shards[shard]?.source === true)
    .flatMap((shard) => start.staying(shard))
    .sort((a, b) => start.load(b) - start.load(a) || a - b);
  if (slots.length > mostSlots) return undefined;

  const drains = problem.shards.some(({ drain }) => drain);
  const draft = start.copy();
  const aim = aimOf(threshold);
  let best: Draft | undefined;
  let [least, fewest] = [found?.movedLoad() ?? 1 + negligible, found?.moved().length ?? slots.length + 1];
  let states = 0;

  const good = () =>
    draft.variance <= aim &&
    shards.every(
      (shard) =>
        problem.shards[shard]?.fill !== true || at(draft.loads, shard) >= at(floors, shard) - negligible,
    );
  /** What is to be moved still, at least: load gains at most twice the widest difference of utilizations. */
  const missing = (): number => {
    const over = draft.variance - aim;
    if (over <= 0 || drains) return 0;
    let [highest, lowest] = [0, Number.POSITIVE_INFINITY];
    for (const shard of shards) {
      if (at(weights, shard) === 0) continue;
      highest = Math.max(highest, draft.utilization(shard));
      lowest = Math.min(lowest, draft.utilization(shard));
    }
    return highest > lowest ? over / (2 * (highest - lowest)) : Number.POSITIVE_INFINITY;
  };
  const decide = (index: number, moved: number, count: number): void => {
    states += 1;
    if (states > mostStates || moved + missing() > least + negligible) return;
    const slot = slots[index];
    if (slot === undefined) {
      const lighter = moved < least - negligible || (moved <= least + negligible && count < fewest);
      if (lighter && good() && feasible(draft)) [best, least, fewest] = [draft.copy(), moved, count];
      return;
    }
    const origin = draft.origin(slot);
    if (problem.shards[origin]?.drain !== true) decide(index + 1, moved, count);
    for (const target of shards) {
      if (!draft.takes(target, slot)) continue;
      draft.put(slot, target);
      decide(index + 1, moved + draft.load(slot), count + 1);
      draft.put(slot, origin);
    }
  };
  decide(0, 0, 0);
  return best;
}
