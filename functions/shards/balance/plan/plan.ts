import { Draft } from './draft.ts';
import { finish } from './finish.ts';
import { descend, doWhatMust, level, trim } from './level.ts';
import { lowerBound } from './lower-bound.ts';
import { inOrder } from './order.ts';
import { aimOf, negligible, type PlanMove, type PlanProblem, type Shares, sharesOf } from './problem.ts';
import { searchBest } from './search.ts';

/** A plan in shares of all load; indexes are those of its problem. */
export interface Plan {
  /** In the order to do them; each with the coefficient of variation after it. */
  readonly moves: readonly (PlanMove & { readonly share: number; readonly variationAfter: number })[];
  /** Coefficient of variation as it is, and when all is done. */
  readonly before: number;
  readonly after: number;
  /** What part of all load moves, and what part has to in any plan that reaches the threshold. */
  readonly moved: number;
  readonly leastMoved: number;
  readonly outcome: PlanOutcome;
  readonly shares: Shares;
  /** Load of each shard when all is done. */
  readonly loads: Float64Array;
}

/**
 * `even`: nothing to do. `reached`: the plan comes under the threshold, drains and fills. `improved`: it does not, and is the best
 * found. `cut`: it has as many moves as are allowed. `not-worth-it`: what could be gained is too little.
 */
export type PlanOutcome = 'even' | 'reached' | 'improved' | 'cut' | 'not-worth-it';

/** Aims somewhat under the threshold: pieces that fit those levels may come out smaller. */
const aims = [1, 0.995, 0.98, 0.95];
/** What is so near to what any plan moves is not tried to be made lighter. */
const closeEnough = 1.003;
/** A plan may be heavier than the lightest by this factor where it has fewer moves. */
const slack = 1.02;
/** So often what moves come to is looked at again; mostly nothing is found the second time. */
const mostRounds = 8;
/** A move that gains less of the coefficient of variation than this is not worth its risk. */
const leastStep = 0.0005;

/**
 * The fewest and smallest moves that bring the coefficient of variation under the threshold; where it cannot be reached, those
 * that come nearest. The same problem gives the same plan; none of its moves makes the state worse, and planning again
 * for what it comes to gives nothing more, unless it was cut.
 */
export function plan(problem: PlanProblem): Plan {
  const shares = sharesOf(problem);
  const start = Draft.of(shares);
  const before = variation(start);
  const bound = lowerBound(shares, problem.threshold);
  const must = problem.shards.some(({ drain, fill }) => drain || fill);
  const even = (outcome: 'even' | 'not-worth-it'): Plan => ({
    ...{ moves: [], before, after: before, moved: 0, outcome, shares, loads: start.loads },
    leastMoved: outcome === 'even' ? 0 : bound.moved,
  });
  const under = start.variance <= aimOf(problem.threshold);
  if (under && !must) return even('even');

  const chosen = reach(start, problem, bound.moved) ?? improve(start, problem);
  const moves = inOrder(start, chosen);
  const needed = chosen.moved().length;
  const cut = moves.length > problem.maxMoves || moves.length < needed;
  const done = replay(start, moves.slice(0, problem.maxMoves));
  if (done.moves.length === 0) return even(under ? 'even' : 'not-worth-it');
  const after = variation(done.draft);
  if (!must && before - after < problem.minImprovement) return even('not-worth-it');
  return {
    ...{ moves: done.moves, before, after, shares, loads: done.draft.loads },
    moved: done.draft.movedLoad(),
    leastMoved: bound.moved,
    outcome: cut ? 'cut' : isGood(done.draft, problem) ? 'reached' : 'improved',
  };
}

/** The lightest plan found that reaches the threshold; undefined where none does. */
function reach(start: Draft, { threshold }: PlanProblem, least: number): Draft | undefined {
  const found: Draft[] = [];
  for (const aim of aims) {
    const draft = start.copy();
    doWhatMust(draft);
    level(draft, threshold * aim);
    const finished = finish(draft, threshold);
    const descended = descend(draft, threshold, 0, draft.shares.slotLoads.length) ? draft : undefined;
    for (const end of [finished, descended]) {
      if (end === undefined) continue;
      trim(end, threshold);
      if (isGood(end, start.shares.problem)) found.push(end);
    }
    if (found.some((end) => end.movedLoad() <= least * closeEnough)) break;
  }
  const lightest = Math.min(...found.map((draft) => draft.movedLoad()));
  const light = found.filter((draft) => draft.movedLoad() <= lightest * slack + negligible);
  const best = light.sort((a, b) => a.moved().length - b.moved().length)[0];
  const feasible = (end: Draft) => inOrder(start, end).length === end.moved().length;
  return searchBest(start, threshold, best, feasible) ?? best;
}

/**
 * The threshold is out of reach: as near as single moves come that are each worth it. What has moved once may move again, as it
 * could if the plan were carried out and another asked for.
 */
function improve(start: Draft, problem: PlanProblem): Draft {
  const end = start.copy();
  doWhatMust(end);
  for (let round = 0; round < mostRounds; round += 1) {
    const slots = problem.slots.map((slot, index) => ({ ...slot, shard: end.place(index) }));
    const shards = problem.shards.map((shard, index) => ({ ...shard, bytes: end.bytes(index) }));
    const draft = Draft.of(sharesOf({ ...problem, shards, slots }));
    const before = draft.variance;
    descendWorthily(draft, problem);
    if (draft.variance >= before) break;
    for (const { slot, to } of draft.moves()) end.put(slot, to);
  }
  return end;
}

function descendWorthily(draft: Draft, { threshold, maxMoves }: PlanProblem): void {
  for (let moves = 0; moves < maxMoves; moves += 1) {
    // A move is worth it by what it does to the coefficient, not to its square.
    const now = draft.variance;
    const least = now - Math.max(0, Math.sqrt(now) - leastStep) ** 2;
    if (descend(draft, threshold, least, 1) || draft.variance === now) return;
  }
}

function isGood(draft: Draft, { shards, threshold }: PlanProblem): boolean {
  return (
    draft.variance <= aimOf(threshold) + negligible &&
    shards.every(
      ({ drain, fill, target }, index) =>
        (!drain || draft.staying(index).length === 0) &&
        (!fill ||
          !target ||
          (draft.loads[index] ?? 0) >= (draft.shares.floors[index] ?? 0) - 1000 * negligible),
    )
  );
}

function replay(start: Draft, moves: readonly PlanMove[]): { draft: Draft; moves: Plan['moves'] } {
  const draft = start.copy();
  const done = moves.map((move) => {
    draft.put(move.slot, move.to);
    return { ...move, share: draft.load(move.slot), variationAfter: variation(draft) };
  });
  return { draft, moves: done };
}

function variation(draft: Draft): number {
  // One shard has the whole, but for how floating-point numbers add up.
  return draft.variance < negligible ** 2 ? 0 : Math.sqrt(draft.variance);
}
