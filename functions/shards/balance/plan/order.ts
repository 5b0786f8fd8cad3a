import type { Draft } from './draft.ts';
import type { PlanMove } from './problem.ts';

/** Of so many moves all orders are tried, where the obvious one fails. */
const mostTried = 10;

/**
 * The moves in an order in which each gains, the most first; what drained shards lose comes before, heaviest first. Where no
 * order is found in which all of them gain, those that do: the rest is left out.
 */
export function inOrder(start: Draft, end: Draft): PlanMove[] {
  const draft = start.copy();
  const { shards } = start.shares.problem;
  const all = end.moves();
  const drained = all.filter(({ from }) => shards[from]?.drain === true);
  for (const { slot, to } of drained) draft.put(slot, to);
  const others = all.filter(({ from }) => shards[from]?.drain !== true);
  const greedy = mostFirst(draft, others);
  if (greedy.length === others.length || others.length > mostTried) return [...drained, ...greedy];
  return [...drained, ...(anyOrder(draft, others) ?? greedy)];
}

function mostFirst(start: Draft, moves: readonly PlanMove[]): PlanMove[] {
  const draft = start.copy();
  // Heaviest first between each two shards; only the first of each are compared.
  const queues = new Map<string, PlanMove[]>();
  for (const move of moves) {
    const pair = `${move.from}/${move.to}`;
    const queue = queues.get(pair) ?? [];
    queue.push(move);
    queues.set(pair, queue);
  }
  const waiting = [...queues.values()].map((queue) => queue.reverse());
  const ordered: PlanMove[] = [];
  for (;;) {
    let best: { queue: PlanMove[]; gain: number } | undefined;
    for (const queue of waiting) {
      const move = queue.at(-1);
      const gain = move === undefined ? 0 : draft.gain(move.slot, move.to);
      if (gain > 0 && (best === undefined || gain > best.gain)) best = { queue, gain };
    }
    const move = best?.queue.pop();
    if (move === undefined) return ordered;
    draft.put(move.slot, move.to);
    ordered.push(move);
  }
}

/** An order in which each move gains; undefined where there is none. */
function anyOrder(start: Draft, moves: readonly PlanMove[]): PlanMove[] | undefined {
  const draft = start.copy();
  const dead = new Set<number>();
  const ordered: PlanMove[] = [];
  const search = (done: number): boolean => {
    if (ordered.length === moves.length) return true;
    if (dead.has(done)) return false;
    for (const [index, move] of moves.entries()) {
      if ((done & (1 << index)) !== 0 || draft.gain(move.slot, move.to) <= 0) continue;
      draft.put(move.slot, move.to);
      ordered.push(move);
      if (search(done | (1 << index))) return true;
      ordered.pop();
      draft.put(move.slot, move.from);
    }
    dead.add(done);
    return false;
  };
  return search(0) ? ordered : undefined;
}
