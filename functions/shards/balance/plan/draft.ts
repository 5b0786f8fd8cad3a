import { add, at, gainOf, type PlanMove, type Shares, varianceOf } from './problem.ts';

/** Slots that may leave a shard, lightest first, with their loads beside them. */
interface Leaving {
  readonly slots: Int32Array;
  readonly loads: Float64Array;
}

/** A plan in the making: where each slot would lie, and what that makes of the shards. */
export class Draft {
  readonly shares: Shares;
  readonly loads: Float64Array;
  readonly #bytes: Float64Array;
  readonly #places: Int32Array;
  readonly #leaving: readonly Leaving[];

  private constructor(
    shares: Shares,
    loads: Float64Array,
    bytes: Float64Array,
    places: Int32Array,
    leaving: readonly Leaving[],
  ) {
    this.shares = shares;
    this.loads = loads;
    this.#bytes = bytes;
    this.#places = places;
    this.#leaving = leaving;
  }

  /** The state as it is. */
  static of(shares: Shares): Draft {
    const { shards, slots } = shares.problem;
    const order = slots
      .map((_, index) => index)
      .filter((index) => slots[index]?.movable === true && at(shares.slotLoads, index) > 0)
      .sort((a, b) => at(shares.slotLoads, a) - at(shares.slotLoads, b) || a - b);
    const lists: number[][] = shards.map(() => []);
    for (const index of order) {
      const shard = slots[index]?.shard ?? 0;
      if (shards[shard]?.source === true) lists[shard]?.push(index);
    }
    const leaving = lists.map((list) => ({
      slots: Int32Array.from(list),
      loads: Float64Array.from(list, (index) => at(shares.slotLoads, index)),
    }));
    return new Draft(
      shares,
      Float64Array.from(shares.loads),
      Float64Array.from(shards, ({ bytes }) => bytes),
      Int32Array.from(slots, ({ shard }) => shard),
      leaving,
    );
  }

  copy(): Draft {
    return new Draft(
      this.shares,
      this.loads.slice(),
      this.#bytes.slice(),
      this.#places.slice(),
      this.#leaving,
    );
  }

  get variance(): number {
    return varianceOf(this.loads, this.shares.weights);
  }

  /** Utilization; of a drained shard nothing that could be compared. */
  utilization(shard: number): number {
    const weight = at(this.shares.weights, shard);
    return weight > 0 ? at(this.loads, shard) / weight : Number.POSITIVE_INFINITY;
  }

  place(slot: number): number {
    return this.#places[slot] ?? 0;
  }

  origin(slot: number): number {
    return this.shares.problem.slots[slot]?.shard ?? 0;
  }

  bytes(shard: number): number {
    return at(this.#bytes, shard);
  }

  load(slot: number): number {
    return at(this.shares.slotLoads, slot);
  }

  put(slot: number, shard: number): void {
    const from = this.place(slot);
    const bytes = this.shares.problem.slots[slot]?.bytes ?? 0;
    add(this.loads, from, -this.load(slot));
    add(this.loads, shard, this.load(slot));
    add(this.#bytes, from, -bytes);
    add(this.#bytes, shard, bytes);
    this.#places[slot] = shard;
  }

  /** Whether a shard may get a slot, and has room for it. */
  takes(shard: number, slot: number): boolean {
    const { shards, slots } = this.shares.problem;
    const target = shards[shard];
    if (target === undefined || !target.target || target.drain || this.origin(slot) === shard) return false;
    return (
      at(this.#bytes, shard) + (slots[slot]?.bytes ?? 0) <= (target.capacityBytes ?? Number.POSITIVE_INFINITY)
    );
  }

  /** What the square of the variation becomes less by. */
  gain(slot: number, to: number): number {
    return gainOf(this.loads, this.shares.weights, this.place(slot), to, this.load(slot));
  }

  /** The heaviest slot that has not left a shard, at most that heavy, and that `target` takes. */
  heaviest(source: number, target: number, most: number): number | undefined {
    const list = this.#leaving[source];
    if (list === undefined) return undefined;
    for (let index = countUpTo(list.loads, most) - 1; index >= 0; index -= 1) {
      const slot = list.slots[index] ?? 0;
      if (this.place(slot) === source && this.takes(target, slot)) return slot;
    }
    return undefined;
  }

  /** The lightest slot that has not left a shard, heavier than `least`, and that `target` takes. */
  lightest(source: number, target: number, least: number): number | undefined {
    const list = this.#leaving[source];
    if (list === undefined) return undefined;
    for (let index = countUpTo(list.loads, least); index < list.slots.length; index += 1) {
      const slot = list.slots[index] ?? 0;
      if (this.place(slot) === source && this.takes(target, slot)) return slot;
    }
    return undefined;
  }

  /** Slots with load that may leave a shard and have not, heaviest first. */
  staying(source: number): number[] {
    return Array.from(this.#leaving[source]?.slots ?? [])
      .filter((slot) => this.place(slot) === source)
      .reverse();
  }

  /** Slots that lie elsewhere than they did, heaviest first. */
  moved(): number[] {
    const moved: number[] = [];
    this.#places.forEach((place, slot) => {
      if (place !== this.origin(slot)) moved.push(slot);
    });
    return moved.sort((a, b) => this.load(b) - this.load(a) || a - b);
  }

  /** All load that moves. */
  movedLoad(): number {
    return this.moved().reduce((sum, slot) => sum + this.load(slot), 0);
  }

  moves(): PlanMove[] {
    return this.moved().map((slot) => ({ slot, from: this.origin(slot), to: this.place(slot) }));
  }
}

/** How many of the ascending values are at most `most`. */
function countUpTo(values: Float64Array, most: number): number {
  let [low, high] = [0, values.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (at(values, middle) <= most) low = middle + 1;
    else high = middle;
  }
  return low;
}
