import type { Draft } from './draft.ts';
import { lowerBound } from './lower-bound.ts';
import { aimOf, at, gainOf, negligible } from './problem.ts';

/** So many moves are looked at again, the heaviest: what there is to save is with them. */
const mostTrimmed = 500;

/** Does what has to be done whatever it costs: drained shards are emptied, new ones filled. */
export function doWhatMust(draft: Draft): void {
  const { problem, floors, weights } = draft.shares;
  problem.shards.forEach((shard, source) => {
    if (!shard.drain) return;
    // Heaviest first, each to where it makes the least of a peak.
    for (const slot of draft.staying(source)) {
      const target = leastBy(problem.shards.length, (candidate) =>
        draft.takes(candidate, slot)
          ? (at(draft.loads, candidate) + draft.load(slot)) / at(weights, candidate)
          : Number.POSITIVE_INFINITY,
      );
      if (target !== undefined) draft.put(slot, target);
    }
  });
  problem.shards.forEach((shard, target) => {
    if (!shard.fill || !shard.target) return;
    for (;;) {
      const missing = at(floors, target) - at(draft.loads, target);
      if (missing <= negligible) return;
      const slot = nextForFill(draft, target, missing);
      if (slot === undefined) return;
      draft.put(slot, target);
    }
  });
}

/** From the shard that has most of what it should, the heaviest slot that fits, or at last the lightest that does not. */
function nextForFill(draft: Draft, target: number, missing: number): number | undefined {
  const sources = byUtilization(draft)
    .filter((source) => source !== target)
    .reverse();
  for (const source of sources) {
    const slot = draft.heaviest(source, target, missing);
    if (slot !== undefined && draft.gain(slot, target) > 0) return slot;
  }
  for (const source of sources) {
    const slot = draft.lightest(source, target, missing);
    if (slot !== undefined && draft.gain(slot, target) > 0) return slot;
  }
  return undefined;
}

/**
 * Takes from what is above the level of sources and gives to what is below that of targets, in pieces as large as fit, until the
 * coefficient of variation is `aim` or no piece fits any more.
 */
export function level(draft: Draft, aim: number): void {
  const { sourceLevel, targetLevel } = lowerBound(draft.shares, aim, draft.loads);
  const { weights } = draft.shares;
  const above = (shard: number) => at(draft.loads, shard) - sourceLevel * at(weights, shard);
  const below = (shard: number) => targetLevel * at(weights, shard) - at(draft.loads, shard);
  const shards = draft.loads.length;
  const full = new Set<number>();
  while (draft.variance > aimOf(aim)) {
    const source = leastBy(shards, (shard) =>
      full.has(shard) || above(shard) <= negligible ? Number.POSITIVE_INFINITY : -draft.utilization(shard),
    );
    if (source === undefined) return;
    const target = leastBy(shards, (shard) =>
      below(shard) <= negligible ? Number.POSITIVE_INFINITY : draft.utilization(shard),
    );
    if (target === undefined) return;
    const slot = pieceFor(draft, source, above(source), below);
    if (slot === undefined) full.add(source);
    else draft.put(slot.slot, slot.target);
  }
}

/** The heaviest piece that some target has room for. */
function pieceFor(draft: Draft, source: number, most: number, below: (shard: number) => number) {
  let best: { slot: number; target: number } | undefined;
  for (let target = 0; target < draft.loads.length; target += 1) {
    const room = Math.min(most, below(target));
    if (target === source || room <= negligible) continue;
    if (best !== undefined && room <= draft.load(best.slot)) continue;
    const slot = draft.heaviest(source, target, room);
    if (slot === undefined || draft.gain(slot, target) <= 0) continue;
    if (best === undefined || draft.load(slot) > draft.load(best.slot)) best = { slot, target };
  }
  return best;
}

/**
 * Goes on until the coefficient of variation is at most `threshold`: each time by the lightest piece that brings it there or,
 * while there is none, by the one that gains most.
 *
 * @param least a piece that gains less, in the square of the coefficient, is not worth its move.
 * @returns whether the threshold has been reached.
 */
export function descend(draft: Draft, threshold: number, least: number, maxMoves: number): boolean {
  const { weights } = draft.shares;
  const shards = draft.loads.length;
  for (let moves = 0; moves < maxMoves; moves += 1) {
    const need = draft.variance - aimOf(threshold);
    if (need <= 0) return true;
    let last: { slot: number; target: number } | undefined;
    let most: { slot: number; target: number; gain: number } | undefined;
    for (let source = 0; source < shards; source += 1) {
      for (let target = 0; target < shards; target += 1) {
        if (source === target || draft.utilization(source) <= draft.utilization(target)) continue;
        const [one, other] = [at(weights, source), at(weights, target)];
        if (one === 0 || other === 0) continue;
        const range = loadsThatGain(draft, source, target, need);
        if (range !== undefined) {
          const slot = draft.lightest(source, target, range[0] - negligible);
          const enough =
            slot !== undefined && gainOf(draft.loads, weights, source, target, draft.load(slot)) >= need;
          if (enough && (last === undefined || draft.load(slot) < draft.load(last.slot))) {
            last = { slot, target };
          }
        }
        if (last !== undefined) continue;
        const best = (draft.utilization(source) - draft.utilization(target)) / (1 / one + 1 / other);
        for (const slot of [draft.heaviest(source, target, best), draft.lightest(source, target, best)]) {
          if (slot === undefined) continue;
          const gain = draft.gain(slot, target);
          if (gain > least && (most === undefined || gain > most.gain)) most = { slot, target, gain };
        }
      }
    }
    const next = last ?? most;
    if (next === undefined) return false;
    draft.put(next.slot, next.target);
  }
  return draft.variance <= aimOf(threshold);
}

/** Makes a plan that reaches its threshold smaller: what is not needed stays, and what is needed is replaced by what is lighter. */
export function trim(draft: Draft, threshold: number): void {
  const { problem, floors } = draft.shares;
  const needed = (slot: number) => problem.shards[draft.origin(slot)]?.drain === true;
  const good = () =>
    draft.variance <= aimOf(threshold) &&
    problem.shards.every(
      ({ fill, target }, index) =>
        !fill || !target || at(draft.loads, index) >= at(floors, index) - negligible,
    );
  if (!good()) return;
  for (const slot of draft.moved().slice(0, mostTrimmed)) {
    if (needed(slot)) continue;
    const [origin, target] = [draft.origin(slot), draft.place(slot)];
    draft.put(slot, origin);
    if (good()) continue;
    const least = Math.max(
      leastThatReaches(draft, threshold, origin, target) ?? Number.POSITIVE_INFINITY,
      at(floors, target) - at(draft.loads, target),
    );
    const lighter = draft.lightest(origin, target, least - negligible);
    if (lighter !== undefined && draft.load(lighter) < draft.load(slot)) {
      draft.put(lighter, target);
      if (good()) continue;
      draft.put(lighter, origin);
    }
    draft.put(slot, target);
  }
}

/** The least load that brings the threshold, if it goes from one shard to another; undefined where none does. */
function leastThatReaches(draft: Draft, threshold: number, source: number, target: number) {
  const { weights } = draft.shares;
  const need = draft.variance - aimOf(threshold);
  if (need <= 0) return 0;
  if (at(weights, source) === 0 || at(weights, target) === 0) return undefined;
  const [least] = loadsThatGain(draft, source, target, need) ?? [];
  return least;
}

/**
 * Between which loads a move from one shard to another gains what is needed; undefined where none does. The gain is a parabola of the
 * load, with its highest point where both have the same utilization afterwards.
 */
export function loadsThatGain(
  draft: Draft,
  source: number,
  target: number,
  need: number,
): readonly [number, number] | undefined {
  const { weights } = draft.shares;
  const curve = 1 / at(weights, source) + 1 / at(weights, target);
  const best = (draft.utilization(source) - draft.utilization(target)) / curve;
  const rest = best ** 2 - need / curve;
  return best > 0 && rest >= 0 ? [best - Math.sqrt(rest), best + Math.sqrt(rest)] : undefined;
}

/** Shards that slots may leave, least used first. */
function byUtilization(draft: Draft): number[] {
  return draft.shares.problem.shards
    .map((_, index) => index)
    .filter((index) => draft.shares.problem.shards[index]?.source === true)
    .sort((a, b) => draft.utilization(a) - draft.utilization(b) || a - b);
}

/** The index with the least value, the first of several; undefined where all are infinite. */
function leastBy(count: number, value: (index: number) => number): number | undefined {
  let [best, least]: [number | undefined, number] = [undefined, Number.POSITIVE_INFINITY];
  for (let index = 0; index < count; index += 1) {
    const found = value(index);
    if (found < least) [best, least] = [index, found];
  }
  return best;
}
