import { type ShardMap, shardOfSlot } from '../map/shard-map.ts';
import type { ShardAnalysis, SlotFound } from './analysis/model.ts';
import { pinnedSlot } from './analysis/model.ts';
import { varianceOf } from './plan/problem.ts';
import { type Balance, limitsOf } from './settings.ts';

/** Numbers that are added up. */
export interface Amounts {
  readonly rows: Readonly<Record<string, number>>;
  readonly bytes: number;
  readonly loadPerSecond: number;
}

/** A slot on the shard that the map says. */
export interface SlotState extends Amounts {
  readonly slot: number;
  readonly shard: string;
  /** What part of all load it is. */
  readonly share: number;
  /** Other shards that have rows of it: it is on its way, or was left behind. */
  readonly alsoOn: readonly string[];
}

export interface ShardState extends Amounts {
  readonly shard: string;
  readonly analysis: ShardAnalysis | undefined;
  readonly weight: number;
  readonly capacityBytes: number | undefined;
  readonly slots: number;
  /** What part of all load lies on it; undefined where nobody knows. */
  readonly share: number | undefined;
  /** The part that no move of a slot takes away: pinned tenants, and rows whose slot is another shard's. */
  readonly fixedShare: number;
  /** Its share beside what it should have: 1 where that is the same. */
  readonly utilization: number | undefined;
  readonly misplaced: { readonly slots: number; readonly rows: number };
}

export interface Combined {
  readonly shards: readonly ShardState[];
  /** The heaviest first. */
  readonly slots: readonly SlotState[];
  /** Coefficient of variation over the shards that are known; undefined where there is nothing to compare. */
  readonly variance: number | undefined;
}

/** What several shards' analyses come to together, with the map and the weights of now. */
export function combine(
  names: readonly string[],
  analyses: readonly ShardAnalysis[],
  map: ShardMap,
  balance: Balance,
): Combined {
  const known = names.map((shard) => ({ shard, analysis: analyses.find((each) => each.shard === shard) }));
  const kinds = [...new Set(known.flatMap(({ analysis }) => analysis?.found?.kinds ?? []))];
  const counted = known.some(({ analysis }) => (analysis?.found?.tables.length ?? 0) > 0);
  const everything = known.map(({ analysis }) => totalOf(analysis, kinds, counted));
  const shareOf = measure(sum(everything, kinds), balance);

  const homes = ownersOf(map);
  const elsewhere = new Map<number, string[]>();
  const bySlot: SlotState[] = [];
  const shards = known.map(({ shard, analysis }, index): ShardState => {
    const own: Amounts[] = [];
    const misplaced: Amounts[] = [];
    for (const found of analysis?.slots ?? []) {
      const amounts = amountsOf(found, analysis?.found?.kinds ?? [], kinds);
      if (found.slot !== pinnedSlot && homes[found.slot] === shard) {
        own.push(amounts);
        bySlot.push({ ...amounts, slot: found.slot, shard, share: shareOf(amounts), alsoOn: [] });
      } else if (found.slot !== pinnedSlot) {
        misplaced.push(amounts);
        elsewhere.set(found.slot, [...(elsewhere.get(found.slot) ?? []), shard]);
      }
    }
    const all = everything[index] ?? nothing;
    const share = analysis?.found === undefined ? undefined : shareOf(all);
    const { weight, capacityBytes } = { capacityBytes: undefined, ...limitsOf(balance, shard) };
    return {
      ...{ shard, analysis, weight, capacityBytes, share, utilization: undefined },
      ...all,
      slots: homes.reduce((count, owner) => count + (owner === shard ? 1 : 0), 0),
      fixedShare: share === undefined ? 0 : Math.max(0, share - shareOf(sum(own, kinds))),
      misplaced: { slots: misplaced.length, rows: rowsOf(sum(misplaced, kinds)) },
    };
  });

  const compared = shards.filter(({ share }) => share !== undefined);
  const weights = Float64Array.from(compared, ({ weight }) => weight);
  const weight = weights.reduce((total, each) => total + each, 0);
  const fair = weights.map((each) => each / weight);
  const loads = Float64Array.from(compared, ({ share }) => share ?? 0);
  const any = loads.some((load) => load > 0);
  return {
    shards: shards.map((state) => ({
      ...state,
      utilization: state.share === undefined || !any ? undefined : (state.share * weight) / state.weight,
    })),
    slots: bySlot
      .map((state) => ({ ...state, alsoOn: elsewhere.get(state.slot) ?? [] }))
      .sort((a, b) => b.share - a.share || a.slot - b.slot),
    variance: any ? Math.sqrt(varianceOf(loads, fair)) : undefined,
  };
}

/** How even shards are: 1 where their load is what it should be, nearer to 0 the less it is. */
export const scoreOf = (variance: number): number => 1 / (1 + variance);

/** All rows together. */
export function rowsOf({ rows }: Pick<Amounts, 'rows'>): number {
  return Object.values(rows).reduce((total, each) => total + each, 0);
}

const nothing: Amounts = { rows: {}, bytes: 0, loadPerSecond: 0 };

/** Without tables to count, all that is known of a shard is how large its database is. */
function totalOf(analysis: ShardAnalysis | undefined, kinds: readonly string[], counted: boolean): Amounts {
  if (analysis?.found === undefined) return nothing;
  const { found, slots } = analysis;
  if (!counted) return { ...nothing, bytes: found.databaseBytes };
  return sum(
    slots.map((slot) => amountsOf(slot, found.kinds, kinds)),
    kinds,
  );
}

function amountsOf(found: SlotFound, its: readonly string[], kinds: readonly string[]): Amounts {
  return {
    rows: Object.fromEntries(kinds.map((kind) => [kind, found.rows[its.indexOf(kind)] ?? 0])),
    bytes: found.bytes,
    loadPerSecond: found.loadPerSecond,
  };
}

function sum(all: readonly Amounts[], kinds: readonly string[]): Amounts {
  const rows = Object.fromEntries(kinds.map((kind) => [kind, 0]));
  let [bytes, loadPerSecond] = [0, 0];
  for (const each of all) {
    for (const kind of kinds) rows[kind] = (rows[kind] ?? 0) + (each.rows[kind] ?? 0);
    bytes += each.bytes;
    loadPerSecond += each.loadPerSecond;
  }
  return { rows, bytes, loadPerSecond };
}

/**
 * The part of all load that something is: of each measure, its part of the measure's whole, by the weights. A measure that is 0
 * everywhere does not count.
 */
function measure(total: Amounts, { weights }: Balance): (amounts: Amounts) => number {
  const measures = [
    ...Object.keys(total.rows).map((kind) => ({
      weight: weights.rows[kind] ?? 1,
      of: ({ rows }: Amounts) => rows[kind] ?? 0,
    })),
    { weight: weights.bytes, of: ({ bytes }: Amounts) => bytes },
    { weight: weights.load, of: ({ loadPerSecond }: Amounts) => loadPerSecond },
  ].filter(({ weight, of }) => weight > 0 && of(total) > 0);
  const whole = measures.reduce((all, { weight }) => all + weight, 0);
  return (amounts) =>
    measures.reduce((all, { weight, of }) => all + (weight * of(amounts)) / (of(total) * whole), 0);
}

/** The shard of each slot. */
function ownersOf(map: ShardMap): string[] {
  return Array.from({ length: map.slots }, (_, slot) => shardOfSlot(map, slot));
}
