import { hourMs, hourOf, shards } from '../store/keys.ts';
import type { TimeRange } from '../store/span-blocks.ts';
import { type Aggregate, type CalleeHalf, type CallerHalf, slotMs } from './aggregate.ts';
import { Groups } from './groups.ts';
import type { StatsStore } from './stats-store.ts';

/** What was counted in a range of time. */
export interface Totals {
  /** Service, operation, kind, `entry` where a request came in by it or began with it. */
  readonly operations: Groups;
  /** Calling service, called service. */
  readonly calls: Groups;
  /** Calls of which the caller’s half is not stored. */
  readonly unresolvedCalls: number;
  /** The range in whole slots. */
  readonly range: TimeRange;
  /** Whether all there is has been read. */
  readonly complete: boolean;
}

const parallelReads = 16;
/** The most halves of calls that one answer joins. */
const maximumHalves = 200_000;

/**
 * Adds up what was counted in a range, rounded outwards to whole slots.
 *
 * @param service counts operations of this service alone, and calls that it makes or answers.
 * @param inTime whether there is time to read more.
 */
export async function totalsOf(
  { range: asked, service }: { range: TimeRange; service?: string | undefined },
  store: Pick<StatsStore, 'read'>,
  inTime: () => boolean = () => true,
): Promise<Totals> {
  const range = roundedToSlots(asked);
  const counter = new Counter(range, service);
  let complete = true;
  const reads: (readonly [hour: number, shard: number])[] = [];
  for (let hour = hourOf(range.toMs - 1); hour >= hourOf(range.fromMs); hour -= 1) {
    for (let shard = 0; shard < shards; shard += 1) reads.push([hour, shard]);
  }
  for (let from = 0; from < reads.length; from += parallelReads) {
    if (!inTime()) {
      complete = false;
      break;
    }
    const some = reads.slice(from, from + parallelReads);
    for (const read of await Promise.all(some.map(([hour, shard]) => store.read(hour, shard)))) {
      for (const aggregate of read.aggregates) counter.add(aggregate);
      complete = complete && read.complete;
    }
  }
  return { ...counter.totals(), range, complete };
}

const roundedToSlots = ({ fromMs, toMs }: TimeRange): TimeRange => ({
  fromMs: Math.floor(fromMs / slotMs) * slotMs,
  toMs: Math.ceil(toMs / slotMs) * slotMs,
});

class Counter {
  readonly #range: TimeRange;
  readonly #service: string | undefined;
  readonly #operations = new Groups();
  readonly #calls = new Groups();
  readonly #callers = new Map<string, CallerHalf>();
  readonly #callees = new Map<string, CalleeHalf>();

  constructor(range: TimeRange, service: string | undefined) {
    this.#range = range;
    this.#service = service;
  }

  add(aggregate: Aggregate): void {
    for (const [[slot, service = '', ...names], tally] of aggregate.operations.entries()) {
      if (this.#counts(Number(slot)) && this.#isAbout(service)) {
        this.#operations.merge([service, ...names], tally);
      }
    }
    for (const [[slot, from = '', to = ''], tally] of aggregate.calls.entries()) {
      if (this.#counts(Number(slot)) && this.#isAbout(from, to)) this.#calls.merge([from, to], tally);
    }
    for (const [id, half] of aggregate.callers)
      if (this.#callers.size < maximumHalves) this.#callers.set(id, half);
    for (const [id, half] of aggregate.callees)
      if (this.#callees.size < maximumHalves) this.#callees.set(id, half);
  }

  totals() {
    let unresolvedCalls = 0;
    for (const [id, { slot, to, durationMs, error }] of this.#callees) {
      const from = this.#callers.get(id)?.from;
      if (!this.#counts(slot) || from === to) continue;
      if (from === undefined) unresolvedCalls += this.#isAbout(to) ? 1 : 0;
      else if (this.#isAbout(from, to)) this.#calls.add([from, to], durationMs, error);
    }
    return { operations: this.#operations, calls: this.#calls, unresolvedCalls };
  }

  #counts(slot: number): boolean {
    return slot * slotMs >= this.#range.fromMs && slot * slotMs < this.#range.toMs;
  }

  #isAbout(...services: readonly string[]): boolean {
    return this.#service === undefined || services.includes(this.#service);
  }
}

/** The longest range that is added up: a week, and the hours it begins and ends in. */
export const maximumStatsMs = 7 * 24 * hourMs;
