import { aimOf, at, type Shares, varianceOf } from './problem.ts';

/** What any plan has to move at least, as part of all load, and to which utilizations that leads. */
export interface LowerBound {
  readonly moved: number;
  /** Sources are not emptied below this utilization, nor targets filled above that one. */
  readonly sourceLevel: number;
  readonly targetLevel: number;
  /** Whether the threshold would be reached, if loads could be divided at will. */
  readonly reachable: boolean;
}

/** Halvings of an interval of about 1: what is left is nothing beside a slot. */
const steps = 40;

/**
 * The least load that has to move before the coefficient of variation is at most `threshold`, if load were a liquid. Taking from the
 * highest utilization and giving to the lowest gains most at each moment, so the best state cuts off all above one
 * level and fills all below another; how far the levels are apart is bisected. Slots are coarser than a liquid, so no plan
 * moves less.
 */
export function lowerBound(
  shares: Shares,
  threshold: number,
  loads: Float64Array = shares.loads,
): LowerBound {
  const { problem, floors } = shares;
  let [mustLeave, mustArrive] = [0, 0];
  problem.shards.forEach(({ drain, target }, index) => {
    if (drain) mustLeave += at(loads, index) - at(shares.immovable, index);
    if (target) mustArrive += Math.max(0, at(floors, index) - at(loads, index));
  });
  const least = Math.max(mustLeave, mustArrive);
  const stateAfter = (moved: number): State =>
    levelled(shares, loads, { leave: moved - mustLeave, arrive: moved });

  const aim = aimOf(threshold);
  const first = stateAfter(least);
  if (first.variance <= aim) return boundOf(least, first, true);
  let [low, high] = [least, 1];
  // Beyond the point where both levels meet nothing gets better.
  for (let step = 0; step < steps; step += 1) {
    const middle = (low + high) / 2;
    const state = stateAfter(middle);
    if (state.variance <= aim || state.sourceLevel <= state.targetLevel) high = middle;
    else low = middle;
  }
  const state = stateAfter(high);
  return boundOf(high, state, state.variance <= aim * (1 + 1e-9));
}

interface State {
  readonly sourceLevel: number;
  readonly targetLevel: number;
  readonly variance: number;
}

const boundOf = (moved: number, { sourceLevel, targetLevel }: State, reachable: boolean): LowerBound => ({
  moved,
  sourceLevel,
  targetLevel,
  reachable,
});

/** The best state after so much has left and arrived, beside what drained shards lose. */
function levelled(
  { problem: { shards }, weights, immovable, floors }: Shares,
  loads: Float64Array,
  { leave, arrive }: { leave: number; arrive: number },
): State {
  const count = loads.length;
  // What each shard keeps at least and has at most: one that nothing leaves keeps all, one that nothing comes to gets nothing.
  const keeps = new Float64Array(count);
  const takes = new Uint8Array(count);
  let highest = 1;
  shards.forEach(({ source, target, drain }, index) => {
    keeps[index] = source && !drain ? at(immovable, index) : at(loads, index);
    takes[index] = target && !drain ? 1 : 0;
    if (at(weights, index) > 0) highest = Math.max(highest, at(loads, index) / at(weights, index));
  });
  const emptied = (index: number, level: number) =>
    Math.min(at(loads, index), Math.max(level * at(weights, index), at(keeps, index)));
  const filled = (index: number, level: number) =>
    takes[index] === 0
      ? at(loads, index)
      : Math.max(at(loads, index), level * at(weights, index), at(floors, index));
  const sourceLevel = bisect(0, highest, (level) => {
    let left = 0;
    for (let index = 0; index < count; index += 1) left += at(loads, index) - emptied(index, level);
    return left <= leave;
  });
  const targetLevel = bisect(0, highest + 1, (level) => {
    let arrived = 0;
    for (let index = 0; index < count; index += 1) arrived += filled(index, level) - at(loads, index);
    return arrived >= arrive;
  });
  const after = loads.map((load, index) => emptied(index, sourceLevel) + filled(index, targetLevel) - load);
  return { sourceLevel, targetLevel, variance: varianceOf(after, weights) };
}

/** The least level at which `reached`, which stays true from there on. */
function bisect(from: number, to: number, reached: (level: number) => boolean): number {
  let [low, high] = [from, to];
  for (let step = 0; step < steps; step += 1) {
    const middle = (low + high) / 2;
    if (reached(middle)) high = middle;
    else low = middle;
  }
  return high;
}
