import { add, at } from '../../functions/shards/balance/plan/problem.ts';

/** The shard of a key by its hash, an unsigned number of 64 bits, and the number of shards alone. */
export type Placement = (hash: bigint, shards: number) => number;

/** What everybody writes first. */
export const modulo: Placement = (hash, shards) => Number(hash % BigInt(shards));

/** Lamping and Veach, “A Fast, Minimal Memory, Consistent Hash Algorithm”, 2014. Shards come and go at the end only. */
export const jump: Placement = (hash, shards) => {
  let key = hash;
  let [bucket, next] = [-1, 0];
  while (next < shards) {
    bucket = next;
    key = BigInt.asUintN(64, key * 2_862_933_555_777_941_757n + 1n);
    next = Math.floor((bucket + 1) * (2 ** 31 / (Number(key >> 33n) + 1)));
  }
  return bucket;
};

/** Thaler and Ravishankar, “Using Name-Based Mappings to Increase Hit Rates”, 1998: the shard with the highest score. */
export const rendezvous: Placement = (hash, shards) => {
  const [low, high] = [Number(hash & 0xffffffffn), Number(hash >> 32n)];
  let [best, highest] = [0, -1];
  for (let shard = 0; shard < shards; shard += 1) {
    const score = mixed(mixed(low ^ mixed(shard + 1)) ^ high);
    if (score > highest) [best, highest] = [shard, score];
  }
  return best;
};

/** The finalizer of MurmurHash3: each bit of 32 depends on all. */
function mixed(word: number): number {
  let bits = word | 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}

/** Slots with their loads, and the shard that each lies on. */
export interface Spread {
  readonly slotLoads: Float64Array;
  readonly places: Int32Array;
  readonly shards: number;
}

/** More slots than this are not taken from shards: each number is tried anew. */
export const mostTaken = 1_500;

/**
 * Aggarwal, Motwani and Zhu, “The Load Rebalancing Problem”, 2003, its algorithm GREEDY: the heaviest slot of the fullest shard is
 * taken away so many times, then each slot taken comes to the emptiest shard. The number is the least with a good end.
 *
 * @param drained a shard that is emptied first, and gets nothing.
 * @param good whether loads are what was wanted.
 * @returns the shard of each slot; undefined where no number has a good end.
 */
export function greedy(
  { slotLoads, places, shards }: Spread,
  drained: number | undefined,
  good: (loads: Float64Array) => boolean,
): Int32Array | undefined {
  const before = new Float64Array(shards);
  const lists: number[][] = Array.from({ length: shards }, () => []);
  places.forEach((shard, slot) => {
    add(before, shard, at(slotLoads, slot));
    lists[shard]?.push(slot);
  });
  for (const list of lists) list.sort((a, b) => at(slotLoads, b) - at(slotLoads, a) || a - b);
  const open = lists.map((_, shard) => shard).filter((shard) => shard !== drained);
  for (let number = 0; number <= mostTaken; number += 1) {
    const loads = before.slice();
    const next = lists.map(() => 0);
    const taken = drained === undefined ? [] : [...(lists[drained] ?? [])];
    if (drained !== undefined) loads[drained] = 0;
    for (let count = 0; count < number; count += 1) {
      const fullest = open.reduce((most, shard) => (at(loads, shard) > at(loads, most) ? shard : most));
      const slot = lists[fullest]?.[next[fullest] ?? 0];
      if (slot === undefined) return undefined;
      next[fullest] = (next[fullest] ?? 0) + 1;
      add(loads, fullest, -at(slotLoads, slot));
      taken.push(slot);
    }
    const after = places.slice();
    for (const slot of taken) {
      const emptiest = open.reduce((least, shard) => (at(loads, shard) < at(loads, least) ? shard : least));
      add(loads, emptiest, at(slotLoads, slot));
      after[slot] = emptiest;
    }
    if (good(loads)) return after;
  }
  return undefined;
}
