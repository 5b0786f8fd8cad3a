import { type Plan, plan } from '../../functions/shards/balance/plan/plan.ts';
import { median } from '../measure/statistics.ts';
import { factor, number } from '../report/figures.ts';
import type { Report } from '../report/report.ts';
import type { Spread } from './peers.ts';
import { problemOf, rangesIn, unevenSpread } from './workload.ts';

const threshold = 0.2;
const shards = 64;
/** What one plan of the default number of slots may take, in milliseconds. */
const aimMs = 100;
const defaultSlots = 4_096;
/** Ranges that a map has at most. */
const mostRanges = 2_048;

interface Case {
  readonly slots: number;
  readonly title: string;
  readonly spread: Spread;
  readonly drain?: number;
  readonly fill?: number;
}

interface Timed {
  readonly of: Case;
  readonly made: Plan;
  readonly firstMs: number;
  readonly medianMs: number;
  readonly ranges: number;
}

/** How long a plan takes, and how near it is to what any plan moves. */
export function measurePlans({
  rounds,
  progress,
}: {
  rounds: number;
  progress: (text: string) => void;
}): Report {
  const cases = [defaultSlots, 65_536].flatMap((slots): Case[] => [
    { slots, title: 'uneven', spread: unevenSpread(slots, shards) },
    { slots, title: 'a 65th is added', spread: unevenSpread(slots, shards + 1, shards), fill: shards },
    { slots, title: 'one is drained', spread: unevenSpread(slots, shards), drain: shards - 1 },
  ]);
  const timed = cases.map((of) => {
    progress(`shards, plan: ${of.slots} slots, ${of.title}`);
    return timedPlan(of, rounds);
  });
  return reportOf(timed, rounds);
}

function timedPlan(of: Case, rounds: number): Timed {
  const problem = problemOf(of.spread, { threshold, drain: of.drain, fill: of.fill });
  const timedOnce = () => {
    const started = performance.now();
    return { made: plan(problem), ms: performance.now() - started };
  };
  const { made, ms: firstMs } = timedOnce();
  const medianMs = median(Array.from({ length: rounds }, () => timedOnce().ms));
  const places = of.spread.places.slice();
  for (const { slot, to } of made.moves) places[slot] = to;
  return { of, made, firstMs, medianMs, ranges: rangesIn(places) };
}

function reportOf(timed: readonly Timed[], rounds: number): Report {
  return {
    title: 'Plans: slots on 64 shards',
    setting: [
      `Slots’ loads are log-normal, and so are the shards’; the threshold is ${threshold}, the number of moves not limited. Median of ${rounds} plans, after the first.`,
      'Bound: what moves at least if load were a liquid; no plan moves less.',
    ],
    columns: [
      { title: 'slots', align: 'right' },
      { title: 'asked' },
      { title: 'CV before', align: 'right' },
      { title: 'after', align: 'right' },
      { title: 'moves', align: 'right' },
      { title: 'moved of bound', align: 'right' },
      { title: 'ranges then', align: 'right' },
      { title: 'first ms', align: 'right' },
      { title: 'ms', align: 'right' },
    ],
    rows: timed.map(({ of, made, firstMs, medianMs, ranges }) => [
      number(of.slots, 0),
      of.title,
      ...[number(made.before, 3), number(made.after, 3), number(made.moves.length, 0)],
      made.leastMoved === 0 ? undefined : factor(made.moved / made.leastMoved),
      ...[number(ranges, 0), number(firstMs, 1), number(medianMs, 1)],
    ]),
    findings: timed.flatMap(findingsOf),
  };
}

function findingsOf({ of, firstMs, medianMs, ranges }: Timed): string[] {
  const name = `${of.slots} slots, ${of.title}`;
  const met = (ms: number) => (ms < aimMs ? 'met' : 'missed');
  return [
    ...(of.slots === defaultSlots
      ? [
          `${name}: ${medianMs.toFixed(1)} ms; the aim, under ${aimMs} ms, is ${met(medianMs)}, and by the first plan of a process ${met(firstMs)}.`,
        ]
      : []),
    ...(ranges > mostRanges
      ? [
          `${name}: the map would have ${ranges} ranges, and it holds ${mostRanges}: not all of it can be carried out.`,
        ]
      : []),
  ];
}
