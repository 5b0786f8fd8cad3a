import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Plan, plan } from '../../../../functions/shards/balance/plan/plan.ts';
import {
  type PlanProblem,
  type PlanShard,
  type PlanSlot,
  varianceOf,
} from '../../../../functions/shards/balance/plan/problem.ts';

const shard = (name: string, more: Partial<PlanShard> = {}): PlanShard => ({
  ...{ name, weight: 1, fixedLoad: 0, bytes: 0 },
  ...{ source: true, target: true, drain: false, fill: false },
  ...more,
});
const problemOf = (
  shards: readonly PlanShard[],
  loads: readonly (readonly number[])[],
  more: Partial<PlanProblem> = {},
): PlanProblem => {
  const slots: PlanSlot[] = loads.flatMap((list, index) =>
    list.map((load) => ({ slot: 0, shard: index, load, bytes: Math.round(load), movable: true })),
  );
  return {
    shards: shards.map((each, index) => ({
      ...each,
      bytes: slots.filter((slot) => slot.shard === index).reduce((sum, slot) => sum + slot.bytes, 0),
    })),
    slots: slots.map((slot, index) => ({ ...slot, slot: index })),
    ...{ threshold: 0.2, minImprovement: 0.01, maxMoves: 100_000 },
    ...more,
  };
};

/** The same problem after a plan has been carried out. */
function applied(problem: PlanProblem, { moves }: Plan): PlanProblem {
  const to = new Map(moves.map((move) => [move.slot, move.to]));
  const slots = problem.slots.map((slot, index) => ({ ...slot, shard: to.get(index) ?? slot.shard }));
  const shards = problem.shards.map((each, index) => ({
    ...each,
    bytes: slots.filter((slot) => slot.shard === index).reduce((sum, slot) => sum + slot.bytes, 0),
  }));
  return { ...problem, slots, shards };
}

/** Whether moves can follow each other so that each one gains: every order is looked at. */
function hasOrder(
  loads: Float64Array,
  weights: Float64Array,
  moves: readonly { from: number; to: number; load: number }[],
) {
  const known = new Map<number, boolean>();
  const after = (done: number): Float64Array => {
    const state = loads.slice();
    moves.forEach(({ from, to, load }, index) => {
      if ((done & (1 << index)) === 0) return;
      state[from] = (state[from] ?? 0) - load;
      state[to] = (state[to] ?? 0) + load;
    });
    return state;
  };
  const search = (done: number): boolean => {
    if (done === 2 ** moves.length - 1) return true;
    const found =
      known.get(done) ??
      moves.some((_, index) => {
        const next = done | (1 << index);
        return (
          next !== done && varianceOf(after(next), weights) < varianceOf(after(done), weights) && search(next)
        );
      });
    known.set(done, found);
    return found;
  };
  return search(0);
}

/** The least load that any choice of places moves and comes to the threshold by; every choice is looked at. */
function leastByTrying({ shards, slots, threshold }: PlanProblem): number {
  const total =
    slots.reduce((sum, { load }) => sum + load, 0) +
    shards.reduce((sum, { fixedLoad }) => sum + fixedLoad, 0);
  const weights = Float64Array.from(shards, ({ weight, drain }) => (drain ? 0 : weight));
  const sum = weights.reduce((a, b) => a + b, 0);
  weights.forEach((weight, index) => {
    weights[index] = weight / sum;
  });
  const loads = Float64Array.from(shards, ({ fixedLoad }) => fixedLoad / total);
  const before = loads.slice();
  for (const { shard: place, load } of slots) before[place] = (before[place] ?? 0) + load / total;
  const moves: { from: number; to: number; load: number }[] = [];
  let least = Number.POSITIVE_INFINITY;
  const choose = (index: number, moved: number): void => {
    if (moved >= least) return;
    const slot = slots[index];
    if (slot === undefined) {
      if (varianceOf(loads, weights) <= threshold ** 2 + 1e-12 && hasOrder(before, weights, moves))
        least = moved;
      return;
    }
    const load = slot.load / total;
    shards.forEach(({ drain, target, source }, place) => {
      const stays = place === slot.shard;
      const may = stays ? !drain : target && !drain && slot.movable && shards[slot.shard]?.source === true;
      if (!may && !(stays && source === false)) return;
      loads[place] = (loads[place] ?? 0) + load;
      if (!stays) moves.push({ from: slot.shard, to: place, load });
      choose(index + 1, moved + (stays ? 0 : load));
      if (!stays) moves.pop();
      loads[place] = (loads[place] ?? 0) - load;
    });
  };
  choose(0, 0);
  return least;
}

const smallLoads = fc.array(fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 4 }), {
  minLength: 2,
  maxLength: 3,
});
const smallProblem = fc
  .record({
    loads: smallLoads,
    threshold: fc.constantFrom(0.05, 0.1, 0.2, 0.4),
    weights: fc.array(fc.constantFrom(1, 1, 2, 3), { minLength: 3, maxLength: 3 }),
    fixed: fc.array(fc.constantFrom(0, 0, 0, 15), { minLength: 3, maxLength: 3 }),
    closed: fc.array(fc.constantFrom('none', 'none', 'none', 'source', 'target'), {
      minLength: 3,
      maxLength: 3,
    }),
  })
  .map(({ loads, threshold, weights, fixed, closed }) =>
    problemOf(
      loads.map((_, index) =>
        shard(`s${index}`, {
          weight: weights[index] ?? 1,
          fixedLoad: fixed[index] ?? 0,
          source: closed[index] !== 'source',
          target: closed[index] !== 'target',
        }),
      ),
      loads,
      { threshold },
    ),
  );

/** Loads of slots as platforms have them: most alike, some many times as heavy. */
const largeProblem = fc
  .record({
    shards: fc.integer({ min: 2, max: 24 }),
    each: fc.integer({ min: 40, max: 80 }),
    seed: fc.integer({ min: 1, max: 2 ** 30 }),
    spread: fc.constantFrom(0.2, 0.5, 0.8),
    skew: fc.constantFrom(0.5, 1, 2),
    threshold: fc.constantFrom(0.05, 0.1, 0.2),
  })
  .map(({ shards, each, seed, spread, skew, threshold }) => {
    let state = seed;
    const random = () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return (state + 0.5) / 2 ** 32;
    };
    const normal = () => Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random());
    const loads = Array.from({ length: shards }, () => {
      const factor = Math.exp(skew * 0.4 * normal());
      return Array.from({ length: each }, () => 1000 * factor * Math.exp(spread * normal()));
    });
    return problemOf(
      loads.map((_, index) => shard(`s${index}`)),
      loads,
      { threshold },
    );
  });

/** What holds of every plan. */
function expectSound(problem: PlanProblem, made: Plan): void {
  let last = made.before;
  for (const move of made.moves) {
    const slot = problem.slots[move.slot];
    expect(slot).toMatchObject({ shard: move.from, movable: true });
    expect(problem.shards[move.from]?.source).toBe(true);
    expect(problem.shards[move.to]).toMatchObject({ target: true, drain: false });
    if (problem.shards[move.from]?.drain !== true) {
      expect(move.variationAfter).toBeLessThan(last);
    }
    last = move.variationAfter;
  }
  expect(made.after).toBeCloseTo(last, 12);
  expect(new Set(made.moves.map(({ slot }) => slot)).size).toBe(made.moves.length);
  if (made.outcome === 'reached') expect(made.after).toBeLessThanOrEqual(problem.threshold + 1e-6);
}

/** Carried out and asked again, nothing is left to do. */
function expectSettled(problem: PlanProblem, made: Plan): void {
  const again = plan(applied(problem, made));
  expect(again.moves).toEqual([]);
  expect(again.before).toBeCloseTo(made.after, 9);
}

describe('a plan', () => {
  it('moves as little as any that reaches the threshold does: on few slots, compared with all there are', () => {
    fc.assert(
      fc.property(smallProblem, (problem) => {
        const made = plan(problem);
        expectSound(problem, made);
        const least = leastByTrying(problem);
        if (made.outcome === 'not-worth-it') return;
        if (made.outcome === 'even') expect(made.before).toBeLessThanOrEqual(problem.threshold + 1e-9);
        else if (Number.isFinite(least)) {
          expect(made.outcome).toBe('reached');
          expect(made.moved).toBeLessThanOrEqual(least * 1.05 + 1e-9);
        }
        expect(made.leastMoved).toBeLessThanOrEqual(least + 1e-6);
        expectSettled(problem, made);
      }),
      { numRuns: 300 },
    );
  });

  it('moves at most a twentieth more than a liquid would have to, where it is more than a few slots', () => {
    fc.assert(
      fc.property(largeProblem, (problem) => {
        const made = plan(problem);
        expectSound(problem, made);
        if (made.outcome === 'even' || made.outcome === 'not-worth-it') return;
        expect(made.outcome).toBe('reached');
        const slot = 1 / problem.slots.length;
        // Less than a few slots cannot be put together from slots so closely.
        expect(made.moved).toBeLessThanOrEqual(
          made.leastMoved > 4 * slot ? made.leastMoved * 1.05 : made.leastMoved + slot,
        );
        expectSettled(problem, made);
        expect(plan(problem)).toEqual(made);
      }),
      { numRuns: 60 },
    );
  });

  it('empties a shard that is drained, and leaves the others under the threshold', () => {
    fc.assert(
      fc.property(largeProblem, (problem) => {
        const draining = {
          ...problem,
          threshold: 0.2,
          shards: problem.shards.map((each, index) =>
            index === 0 ? { ...each, drain: true, target: false } : each,
          ),
        };
        const made = plan(draining);
        expectSound(draining, made);
        expect(made.outcome).toBe('reached');
        expect(made.loads[0]).toBeCloseTo(0, 9);
        expect(applied(draining, made).slots.some((slot) => slot.shard === 0)).toBe(false);
        expect(made.moved / made.leastMoved).toBeLessThanOrEqual(1.05);
        expectSettled(draining, made);
      }),
      { numRuns: 30 },
    );
  });

  it('gives a shard that is added what it should have, though the others are even without it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 32 }), fc.constantFrom(0.05, 0.2), (count, threshold) => {
        const loads = [
          ...Array.from({ length: count }, () => Array.from({ length: 64 }, (_, n) => 90 + (n % 20))),
          [],
        ];
        const problem = problemOf(
          loads.map((_, index) => shard(`s${index}`, { fill: index === count })),
          loads,
          { threshold },
        );
        const made = plan(problem);
        expectSound(problem, made);
        expect(made.outcome).toBe('reached');
        expect((made.loads[count] ?? 0) * (count + 1)).toBeGreaterThanOrEqual(1 - threshold - 1e-9);
        expect(made.moved / made.leastMoved).toBeLessThanOrEqual(1.05);
        expectSettled(problem, made);
      }),
      { numRuns: 30 },
    );
  });

  const heavy = [
    [50, 30, 20],
    [10, 10],
  ];

  it('does not take more bytes to a shard than it has room for', () => {
    const roomy = plan(problemOf([shard('a'), shard('b')], heavy));
    expect(roomy).toMatchObject({ outcome: 'reached', moves: [{ slot: 1, from: 0, to: 1 }] });
    const full = plan(problemOf([shard('a'), shard('b', { capacityBytes: 30 })], heavy));
    expect(full).toMatchObject({ outcome: 'not-worth-it', moves: [] });
    const some = plan(problemOf([shard('a'), shard('b', { capacityBytes: 45 })], heavy));
    expect(some).toMatchObject({ outcome: 'improved', moves: [{ slot: 2 }] });
  });

  it('is cut where it has as many moves as are allowed, and says what is left', () => {
    const loads = [Array.from({ length: 40 }, () => 10), [10]];
    const problem = problemOf([shard('a'), shard('b')], loads, { maxMoves: 3 });
    const made = plan(problem);
    expect(made).toMatchObject({ outcome: 'cut', moves: [{}, {}, {}] });
    expect(made.after).toBeGreaterThan(problem.threshold);
    expectSound(problem, made);
  });

  it('proposes nothing that gains too little', () => {
    const problem = problemOf([shard('a'), shard('b')], [[1000, 5], [100]], { minImprovement: 0.05 });
    expect(plan(problem)).toMatchObject({ outcome: 'not-worth-it', moves: [] });
    expect(plan({ ...problem, minImprovement: 0.001 })).toMatchObject({
      outcome: 'improved',
      moves: [{ slot: 1 }],
    });
  });

  it('has nothing to do without load, and with one shard', () => {
    expect(plan(problemOf([shard('a'), shard('b')], [[0, 0], []]))).toMatchObject({ moves: [] });
    expect(plan(problemOf([shard('a')], [[5, 7]]))).toMatchObject({ outcome: 'even', before: 0 });
    expect(plan(problemOf([], []))).toMatchObject({ outcome: 'even' });
  });
});
