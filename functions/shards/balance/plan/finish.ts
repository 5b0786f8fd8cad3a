import type { Draft } from './draft.ts';
import { loadsThatGain } from './level.ts';
import { aimOf, at, negligible } from './problem.ts';

/** So many of the lightest moves are tried without. */
const mostTried = 24;

interface Finish {
  /** A move that is taken back; undefined: none. */
  readonly instead: number | undefined;
  readonly slots: readonly number[];
  readonly target: number;
  /** Load that moves beside what did. */
  readonly more: number;
}

/**
 * Comes to the threshold by the lightest one or two slots that do, beside all that moves already or in place of one of these: where
 * little is missing, sums and differences of slots are finer than slots.
 *
 * @returns undefined where the threshold is not reached in that way.
 */
export function finish(draft: Draft, threshold: number): Draft | undefined {
  const lists = draft.shares.problem.shards.map((_, shard) => draft.staying(shard));
  const staying = (shard: number) => lists[shard] ?? [];
  let best = lightestOf(allPairs(draft).map((pair) => addition(draft, threshold, pair, staying)));
  for (const slot of draft.moved().slice(-mostTried)) {
    const [source, target] = [draft.origin(slot), draft.place(slot)];
    draft.put(slot, source);
    const found = addition(draft, threshold, { source, target });
    draft.put(slot, target);
    if (found === undefined) continue;
    best = lightestOf([best, { ...found, instead: slot, more: found.more - draft.load(slot) }]);
  }
  if (best === undefined) return undefined;
  const end = draft.copy();
  if (best.instead !== undefined) end.put(best.instead, end.origin(best.instead));
  for (const slot of best.slots) end.put(slot, best.target);
  return end.variance <= aimOf(threshold) ? end : undefined;
}

interface Pair {
  readonly source: number;
  readonly target: number;
}

/** Shards from and to which a move gains. */
function allPairs(draft: Draft): Pair[] {
  const { shards } = draft.shares.problem;
  return shards.flatMap((from, source) =>
    shards.flatMap((to, target) =>
      from.source && !from.drain && to.target && draft.utilization(source) > draft.utilization(target)
        ? [{ source, target }]
        : [],
    ),
  );
}

/** The lightest one or two slots of a shard that bring the threshold, moved to another. */
function addition(
  draft: Draft,
  threshold: number,
  { source, target }: Pair,
  staying: (source: number) => readonly number[] = (shard) => draft.staying(shard),
): Finish | undefined {
  const { weights } = draft.shares;
  const need = draft.variance - aimOf(threshold);
  if (at(weights, source) === 0 || at(weights, target) === 0 || need <= 0) return undefined;
  const range = loadsThatGain(draft, source, target, need);
  if (range === undefined) return undefined;
  const [least, most] = [range[0] + negligible, range[1] - negligible];

  const slots = staying(source).filter((slot) => draft.takes(target, slot));
  let found: Finish | undefined;
  const consider = (some: readonly number[], load: number) => {
    if (load < least || load > most || (found !== undefined && load >= found.more)) return;
    found = { instead: undefined, slots: some, target, more: load };
  };
  for (const slot of slots) consider([slot], draft.load(slot));
  // From both ends of the list, heaviest first, to the pair that is just heavy enough.
  for (let [heavy, light] = [0, slots.length - 1]; heavy < light; ) {
    const [one, other] = [slots[heavy] ?? 0, slots[light] ?? 0];
    const load = draft.load(one) + draft.load(other);
    consider([one, other], load);
    if (load >= least) heavy += 1;
    else light -= 1;
  }
  return found;
}

function lightestOf(found: readonly (Finish | undefined)[]): Finish | undefined {
  return found.reduce(
    (best, each) => (each !== undefined && (best === undefined || each.more < best.more) ? each : best),
    undefined,
  );
}
