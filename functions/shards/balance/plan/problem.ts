/** One shard, as a plan looks at it. */
export interface PlanShard {
  readonly name: string;
  /** What part of the load it should have, beside those of others; 0 for one that is drained. */
  readonly weight: number;
  /** Load that lies on it and that no move of a slot takes away, in the unit of the slots' loads. */
  readonly fixedLoad: number;
  /** Bytes that lie on it now. */
  readonly bytes: number;
  /** Most bytes that a plan puts on it; absent: any. */
  readonly capacityBytes?: number;
  /** Whether slots may leave it, and may come to it. */
  readonly source: boolean;
  readonly target: boolean;
  /** Every slot has to leave it. */
  readonly drain: boolean;
  /** It is new: it gets what it should have, less the threshold's part, also where the others are even without it. */
  readonly fill: boolean;
}

/** One slot, as a plan looks at it. */
export interface PlanSlot {
  readonly slot: number;
  /** Index of the shard that it lies on. */
  readonly shard: number;
  /** Any unit, the same for all of them. */
  readonly load: number;
  readonly bytes: number;
  /** Whether it may be moved now. */
  readonly movable: boolean;
}

export interface PlanProblem {
  readonly shards: readonly PlanShard[];
  readonly slots: readonly PlanSlot[];
  /** The coefficient of variation to come under. */
  readonly threshold: number;
  /** A plan that makes the coefficient of variation better by less than this is none. */
  readonly minImprovement: number;
  /** Most slots with load that are moved; those without any are not counted. */
  readonly maxMoves: number;
}

/** One slot's way to another shard; both are indexes of shards, `slot` one of slots. */
export interface PlanMove {
  readonly slot: number;
  readonly from: number;
  readonly to: number;
}

/**
 * The problem in shares: loads and weights each add up to 1, so that a shard with its weight's part of the load has a
 * utilization of 1. Coefficients of variation are over utilizations, each counted by its shard's weight; where
 * weights are equal that is the plain one.
 */
export interface Shares {
  readonly problem: PlanProblem;
  /** Weight of each shard. */
  readonly weights: Float64Array;
  /** Load of each shard as it is. */
  readonly loads: Float64Array;
  /** The part of `loads` that stays whatever is planned. */
  readonly immovable: Float64Array;
  /** Load of each slot. */
  readonly slotLoads: Float64Array;
  /** The least load that each shard has to end with; 0 where that is not asked. */
  readonly floors: Float64Array;
}

export function sharesOf(problem: PlanProblem): Shares {
  const { shards, slots, threshold } = problem;
  const slotLoads = new Float64Array(slots.length);
  const loads = new Float64Array(shards.length);
  const immovable = new Float64Array(shards.length);
  let total = 0;
  for (const { load } of slots) total += load;
  for (const { fixedLoad } of shards) total += fixedLoad;
  const unit = total > 0 ? 1 / total : 0;
  shards.forEach(({ fixedLoad }, index) => {
    loads[index] = fixedLoad * unit;
    immovable[index] = fixedLoad * unit;
  });
  slots.forEach(({ shard, load, movable }, index) => {
    slotLoads[index] = load * unit;
    add(loads, shard, load * unit);
    if (!movable || shards[shard]?.source !== true) add(immovable, shard, load * unit);
  });
  const weightSum = shards.reduce((sum, { weight, drain }) => sum + (drain ? 0 : weight), 0);
  const weights = Float64Array.from(shards, ({ weight, drain }) =>
    drain || weightSum === 0 ? 0 : weight / weightSum,
  );
  const floors = Float64Array.from(shards, ({ fill }, index) =>
    fill ? Math.max(0, 1 - threshold) * at(weights, index) : 0,
  );
  return { problem, weights, loads, immovable, slotLoads, floors };
}

/** Square of the coefficient of variation; a shard that is drained does not count. */
export function varianceOf(loads: Float64Array, weights: Float64Array): number {
  let sum = 0;
  for (let index = 0; index < loads.length; index += 1) {
    const weight = at(weights, index);
    if (weight > 0) sum += (at(loads, index) - weight) ** 2 / weight;
  }
  return sum;
}

/** What is under this part of all load is nothing: sums of floating-point numbers are no more exact. */
export const negligible = 1e-12;

/** The square that a plan has to come to; as much as is negligible above the threshold is at it. */
export function aimOf(threshold: number): number {
  return threshold ** 2 + negligible;
}

/** What the square becomes less by, where `load` goes from one shard to another; of a drained one nothing is counted. */
export function gainOf(
  loads: Float64Array,
  weights: Float64Array,
  from: number,
  to: number,
  load: number,
): number {
  const lost = shift(at(loads, from), at(weights, from), -load);
  return -(lost + shift(at(loads, to), at(weights, to), load));
}

function shift(load: number, weight: number, by: number): number {
  return weight > 0 ? ((load + by - weight) ** 2 - (load - weight) ** 2) / weight : 0;
}

/** An element that is there. */
export function at(values: Float64Array, index: number): number {
  return values[index] ?? 0;
}

export function add(values: Float64Array, index: number, by: number): void {
  values[index] = at(values, index) + by;
}
