import { plan } from '../../functions/shards/balance/plan/plan.ts';
import { add, at } from '../../functions/shards/balance/plan/problem.ts';
import { number } from '../report/figures.ts';
import type { Figure, Report } from '../report/report.ts';
import { greedy, jump, modulo, mostTaken, type Placement, rendezvous } from './peers.ts';
import { type Keys, keysOf, problemOf, rangesIn, spreadOf, variationOf } from './workload.ts';

const slots = 4_096;
const keyCount = 1_000_000;
const thresholds = [0.2, 0.05] as const;

interface Change {
  readonly title: string;
  readonly from: number;
  readonly to: number;
}

const changes: readonly Change[] = [
  { title: '8 to 9', from: 8, to: 9 },
  { title: '64 to 65', from: 64, to: 65 },
  { title: '8, one drained', from: 8, to: 7 },
  { title: '64, one drained', from: 64, to: 63 },
];
const unchanged: Change = { title: '64, none added', from: 64, to: 64 };

const loads = [
  { title: 'Moves: a million keys that weigh the same', load: () => 1, changes },
  {
    title: 'Moves: a million keys that weigh by Zipf’s law',
    load: (rank: number) => rank ** -0.9,
    changes: [...changes, unchanged],
  },
] as const;

const placements: readonly (readonly [string, Placement])[] = [
  ['modulo', modulo],
  ['jump hash (Lamping, Veach)', jump],
  ['rendezvous (Thaler, Ravishankar)', rendezvous],
];

interface Moved {
  readonly name: string;
  readonly moved: number;
  readonly before: number;
  readonly after: number;
  /** Ranges of the map; 0 where there is none. */
  readonly ranges: number;
}

/** What share of the load moves when shards come and go, and how even they are then. It takes no time, and so is the same each time. */
export function measureMoves({ progress }: { progress: (text: string) => void }): Report[] {
  return loads.map(({ title, load, changes }) => {
    const keys = keysOf(keyCount, load);
    const done = changes.map((change) => {
      progress(`shards, ${title}: ${change.title}`);
      return { change, moved: movedBy(keys, change) };
    });
    return reportOf(title, done);
  });
}

function movedBy(keys: Keys, change: Change): Moved[] {
  return [
    ...placements.map(([name, placement]) => byHash(name, placement, keys, change)),
    ...greedily(keys, change),
    ...thresholds.map((threshold) => planned(keys, change, threshold)),
  ];
}

function byHash(name: string, placement: Placement, { hashes, loads }: Keys, { from, to }: Change): Moved {
  const [before, after] = [new Float64Array(from), new Float64Array(to)];
  let [moved, all] = [0, 0];
  hashes.forEach((hash, index) => {
    const load = at(loads, index);
    const [old, now] = [placement(hash, from), placement(hash, to)];
    add(before, old, load);
    add(after, now, load);
    all += load;
    if (old !== now) moved += load;
  });
  return { name, moved: moved / all, before: variationOf(before), after: variationOf(after), ranges: 0 };
}

function greedily(keys: Keys, { from, to }: Change): Moved[] {
  const [threshold] = thresholds;
  const spread = spreadOf(keys, slots, { from, to });
  const drained = to < from ? to : undefined;
  const whole = spread.slotLoads.reduce((sum, load) => sum + load, 0);
  const floor = to > from ? ((1 - threshold) * whole) / to : 0;
  const places = greedy(
    spread,
    drained,
    (state) => variationOf(state, drained) <= threshold && at(state, to - 1) >= floor,
  );
  if (places === undefined) return [];
  const after = new Float64Array(spread.shards);
  const before = new Float64Array(from);
  let moved = 0;
  places.forEach((shard, slot) => {
    const [load, old] = [at(spread.slotLoads, slot), spread.places[slot] ?? 0];
    add(after, shard, load);
    add(before, old, load);
    if (shard !== old) moved += load;
  });
  return [
    {
      name: `GREEDY to ${threshold} (Aggarwal, Motwani, Zhu)`,
      ...{ moved: moved / whole, before: variationOf(before), after: variationOf(after, drained) },
      ranges: rangesIn(places),
    },
  ];
}

function planned(keys: Keys, { from, to }: Change, threshold: number): Moved {
  const spread = spreadOf(keys, slots, { from, to });
  const drain = to < from ? to : undefined;
  const made = plan(problemOf(spread, { threshold, drain, fill: to > from ? from : undefined }));
  const places = spread.places.slice();
  for (const move of made.moves) places[move.slot] = move.to;
  const before = new Float64Array(from);
  spread.places.forEach((shard, slot) => {
    add(before, shard, at(spread.slotLoads, slot));
  });
  return {
    name: `Mainstay to ${threshold}`,
    ...{ moved: made.moved, before: variationOf(before), after: variationOf(made.loads, drain) },
    ranges: rangesIn(places),
  };
}

const percent = (share: number): Figure => ({ value: share, text: `${(100 * share).toFixed(2)} %` });

function reportOf(title: string, done: readonly { change: Change; moved: readonly Moved[] }[]): Report {
  return {
    title,
    setting: [
      `Hashes alone place each key; Mainstay and GREEDY place ${slots} slots, which begin as many on each shard, and list them by ranges.`,
      'An added shard gets what it should have, less the threshold’s part. CV: coefficient of variation of the shards’ load, 0 is even.',
    ],
    columns: [
      { title: 'Shards' },
      { title: 'Placed by' },
      { title: 'moved', align: 'right' },
      { title: 'CV before', align: 'right' },
      { title: 'after', align: 'right' },
      { title: 'ranges', align: 'right' },
    ],
    rows: done.flatMap(({ change, moved }) =>
      moved.map((each) => [
        ...[change.title, each.name, percent(each.moved), number(each.before, 3), number(each.after, 3)],
        each.ranges === 0 ? undefined : number(each.ranges, 0),
      ]),
    ),
    findings: done.flatMap(({ change, moved }) => findingsOf(change, moved)),
  };
}

/** What is no difference between two ways: a part of the larger. */
const noise = 0.03;

/** Who moves less than our plan for the default threshold, and who ends more even. */
function findingsOf({ title }: Change, all: readonly Moved[]): string[] {
  const ours = all.find(({ name }) => name === `Mainstay to ${thresholds[0]}`);
  if (ours === undefined) return [];
  const peers = all.filter(({ name }) => !name.startsWith('Mainstay'));
  // Who moves nothing at all has no answer to the question.
  const less = peers.filter(({ moved }) => moved > 0 && moved < ours.moved * (1 - noise));
  const evener = peers.filter(({ moved, after }) => moved > 0 && after < ours.after * (1 - noise));
  const named = (list: readonly Moved[], of: (moved: Moved) => string) =>
    list.map((each) => `${each.name} (${of(each)})`).join(', ');
  const findings: string[] = [];
  if (less.length > 0) {
    const list = named(less, ({ moved }) => percent(moved).text);
    findings.push(`${title}: less than our ${percent(ours.moved).text} is moved by ${list}.`);
  }
  if (evener.length > 0) {
    const list = named(evener, ({ after }) => after.toFixed(3));
    findings.push(`${title}: more even than our ${ours.after.toFixed(3)} is ${list}.`);
  }
  if (peers.length === placements.length) {
    findings.push(`${title}: GREEDY comes to no good end by taking ${mostTaken} slots.`);
  }
  return findings;
}
