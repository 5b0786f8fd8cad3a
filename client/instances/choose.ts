import type { ReadPreference } from '../../functions/shards/sharding.ts';
import type { Address } from '../map/view.ts';
import type { Look } from './look.ts';

/** What was last seen of an instance. */
export interface Observation extends Look {
  /** When, in milliseconds. */
  readonly at: number;
  readonly position?: bigint;
  /** Of a reader; undefined where it cannot be told. */
  readonly lagSeconds?: number;
  /** How long it took to answer, smoothed. */
  readonly latencyMs: number;
}

export interface Instance {
  readonly address: Address;
  /** Undefined before it has answered, and when it has not answered the last time. */
  readonly seen?: Observation | undefined;
}

export interface Choice {
  readonly preference: ReadPreference;
  readonly maxLagSeconds: number;
  /** What is older than this, in milliseconds, is not known any more. */
  readonly freshMs: number;
  readonly now: number;
  /** Rises with each choice, so that readers take turns. */
  readonly turn: number;
  /** What the instance has to have; those that have it for certain come first. */
  readonly position?: bigint | undefined;
}

/** Instances that answer within so many milliseconds of the nearest count as near, as others do it as well. */
const nearMs = 15;

/**
 * Where a read may go before it goes to the writer, in the order of trying; the writer is among them where it is among the nearest
 * wanted. Never a reader that is not known to be in lag.
 */
export function choose(writer: Instance, readers: readonly Instance[], choice: Choice): Address[] {
  const { preference, now, freshMs, maxLagSeconds, turn, position } = choice;
  const fresh = ({ seen }: Instance) => seen !== undefined && now - seen.at <= freshMs;
  const inLag = readers.filter(
    (reader) =>
      fresh(reader) && reader.seen?.replica === true && (reader.seen.lagSeconds ?? Infinity) <= maxLagSeconds,
  );
  switch (preference) {
    case 'primary':
      return [];
    case 'secondaryPreferred':
      return havingFirst(inTurn(inLag, turn), position).map(({ address }) => address);
    case 'nearest': {
      const all = [...(fresh(writer) ? [writer] : []), ...inLag].sort((a, b) => latencyOf(a) - latencyOf(b));
      const limit = (all[0] === undefined ? 0 : latencyOf(all[0])) + nearMs;
      const near = all.filter((each) => latencyOf(each) <= limit);
      const order = [...inTurn(near, turn), ...all.slice(near.length)];
      return havingFirst(order, position).map(({ address }) => address);
    }
    default:
      return preference satisfies never;
  }
}

function inTurn<T>(items: readonly T[], turn: number): T[] {
  const first = items.length === 0 ? 0 : turn % items.length;
  return [...items.slice(first), ...items.slice(0, first)];
}

const latencyOf = ({ seen }: Instance) => seen?.latencyMs ?? Number.POSITIVE_INFINITY;

function havingFirst(instances: readonly Instance[], position: bigint | undefined): Instance[] {
  if (position === undefined) return [...instances];
  const has = ({ seen }: Instance) => seen?.replica !== true || (seen.position ?? -1n) >= position;
  return [...instances.filter(has), ...instances.filter((instance) => !has(instance))];
}
