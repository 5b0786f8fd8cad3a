import { add, at, type PlanProblem } from '../../functions/shards/balance/plan/problem.ts';
import { hashKey } from '../../functions/shards/hash/keys.ts';
import { evenly, slotOf } from '../../functions/shards/map/shard-map.ts';
import type { Spread } from './peers.ts';

/** Keys with what each weighs. */
export interface Keys {
  /** Unsigned. */
  readonly hashes: BigUint64Array;
  readonly loads: Float64Array;
}

/** Numbers from 1, with the hash by which PostgreSQL places them. @param load by the key's rank, from 1. */
export function keysOf(count: number, load: (rank: number) => number): Keys {
  const hashes = BigUint64Array.from({ length: count }, (_, index) =>
    BigInt.asUintN(64, hashKey('int8', String(index + 1))),
  );
  return { hashes, loads: Float64Array.from(hashes, (_, index) => load(index + 1)) };
}

/** Names in the order of their indexes. */
export const shardNames = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `shard-${String(index).padStart(4, '0')}`);

/** The keys by slot, on shards that have the same number of slots each; one that is added has none. */
export function spreadOf(keys: Keys, slots: number, { from, to }: { from: number; to: number }): Spread {
  const slotLoads = new Float64Array(slots);
  keys.hashes.forEach((hash, index) => {
    add(slotLoads, slotOf(hash, slots), at(keys.loads, index));
  });
  return { slotLoads, places: placesEvenly(slots, from), shards: Math.max(from, to) };
}

function placesEvenly(slots: number, shards: number): Int32Array {
  const places = new Int32Array(slots);
  evenly(slots, shardNames(shards)).forEach(({ first, last }, shard) => {
    places.fill(shard, first, last + 1);
  });
  return places;
}

/** Loads of slots as platforms have them: most alike, some many times as heavy, and some shards with more than others. */
export function unevenSpread(slots: number, shards: number, full = shards): Spread {
  const random = randomFrom(7);
  const normal = () => Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random());
  const factors = Array.from({ length: shards }, () => Math.exp(0.4 * normal()));
  const places = placesEvenly(slots, full);
  const slotLoads = Float64Array.from(
    places,
    (shard) => 1000 * (factors[shard] ?? 1) * Math.exp(0.8 * normal()),
  );
  return { slotLoads, places, shards };
}

/** The same numbers each time, between 0 and 1. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
}

/** As a planner gets it: a byte for each unit of load, any number of moves. */
export function problemOf(
  { slotLoads, places, shards }: Spread,
  { threshold, drain, fill }: { threshold: number; drain?: number | undefined; fill?: number | undefined },
): PlanProblem {
  const bytes = new Float64Array(shards);
  places.forEach((shard, slot) => {
    add(bytes, shard, at(slotLoads, slot));
  });
  return {
    shards: shardNames(shards).map((name, index) => ({
      ...{ name, weight: 1, fixedLoad: 0, bytes: at(bytes, index), source: true },
      ...{ target: index !== drain, drain: index === drain, fill: index === fill },
    })),
    slots: Array.from(places, (shard, slot) => {
      const load = at(slotLoads, slot);
      return { slot, shard, load, bytes: load, movable: true };
    }),
    ...{ threshold, minImprovement: 0, maxMoves: slotLoads.length },
  };
}

/** Ranges of a map with these places. */
export const rangesIn = (places: Int32Array): number =>
  places.reduce((count, shard, slot) => count + (shard === places[slot - 1] ? 0 : 1), 0);

/** Coefficient of variation; 0 is even. @param without a shard that does not count. */
export function variationOf(loads: Float64Array, without?: number): number {
  const counted = loads.filter((_, shard) => shard !== without);
  const mean = counted.reduce((sum, load) => sum + load, 0) / counted.length;
  const square = counted.reduce((sum, load) => sum + (load - mean) ** 2, 0) / counted.length;
  return mean === 0 ? 0 : Math.sqrt(square) / mean;
}
