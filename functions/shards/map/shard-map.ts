import * as z from 'zod';

const rangeSchema = z.strictObject({
  first: z.int().min(0),
  last: z.int().min(0),
  shard: z.string().min(1),
});
export type SlotRange = z.output<typeof rangeSchema>;

/** Ranges of one map: what fits an item of the table, several times over. */
export const mostRanges = 2_048;

/** Which slot lies on which shard. Ranges are in order, without a gap, and neighbours differ in their shard. */
export const shardMapSchema = z
  .object({
    /** Rises with every change; whoever has an older one asks again. */
    epoch: z.int().min(1),
    /** A power of two, chosen once: a key's slot is its hash modulo this. */
    slots: z
      .int()
      .min(16)
      .max(65_536)
      .refine((slots) => Number.isInteger(Math.log2(slots)), 'a power of two'),
    ranges: z.array(rangeSchema).min(1).max(mostRanges),
    changedAt: z.iso.datetime(),
    reason: z.string().max(300),
  })
  .refine(isComplete, 'ranges that cover each slot once');
export type ShardMap = z.output<typeof shardMapSchema>;

function isComplete({ slots, ranges }: { slots: number; ranges: readonly SlotRange[] }): boolean {
  let next = 0;
  for (const { first, last } of ranges) {
    if (first !== next || last < first) return false;
    next = last + 1;
  }
  return next === slots;
}

/** The slot of a hash. In SQL: `hash & (slots - 1)`. */
export function slotOf(hash: bigint, slots: number): number {
  return Number(BigInt.asUintN(64, hash) & BigInt(slots - 1));
}

/** The shard that a slot lies on. @throws RangeError for a slot that the map does not have. */
export function shardOfSlot({ ranges }: Pick<ShardMap, 'ranges'>, slot: number): string {
  let [low, high] = [0, ranges.length - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    const range = ranges[middle];
    if (range === undefined) break;
    if (slot < range.first) high = middle - 1;
    else if (slot > range.last) low = middle + 1;
    else return range.shard;
  }
  throw new RangeError(`The map has no slot ${slot}.`);
}

/** The ranges of a map once slots lie elsewhere. @throws RangeError for slots that the map does not have. */
export function rangesAfter(
  { slots, ranges }: Pick<ShardMap, 'slots' | 'ranges'>,
  moved: readonly SlotRange[],
): SlotRange[] {
  const places = ranges.flatMap(({ first, last, shard }) => Array<string>(last - first + 1).fill(shard));
  for (const { first, last, shard } of moved) {
    if (last < first || last >= slots) throw new RangeError(`The map has no slots ${first} to ${last}.`);
    places.fill(shard, first, last + 1);
  }
  const after: SlotRange[] = [];
  places.forEach((shard, slot) => {
    const range = after.at(-1);
    if (range?.shard === shard) range.last = slot;
    else after.push({ first: slot, last: slot, shard });
  });
  return after;
}

/** All slots over shards, in the order of their names: each gets as many as any other, or one more. */
export function evenly(slots: number, shards: readonly string[]): SlotRange[] {
  const names = [...shards].sort();
  return names.map((shard, index) => ({
    first: Math.floor((index * slots) / names.length),
    last: Math.floor(((index + 1) * slots) / names.length) - 1,
    shard,
  }));
}
