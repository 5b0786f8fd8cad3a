import { LimitStore } from '../limits/store.ts';
import { median } from '../measure/statistics.ts';
import { runTogether } from '../measure/together.ts';
import { number } from '../report/figures.ts';
import type { Report } from '../report/report.ts';
import { type LaneResult, laneResultSchema, type Mode, modeSchema } from './lane.ts';

const script = new URL('lane-main.ts', import.meta.url).pathname;
const requests = 20_000;

const names: Readonly<Record<Mode, string>> = {
  bare: 'bare handler',
  stack: 'shared stack: route, parse, trace, log, metrics, headers',
  gate: 'shared stack and gate: address, key, limit, scope',
};

/** Measures what a request costs before it reaches its handler, beside a handler that nothing stands before. */
export async function measureStack(options: {
  rounds: number;
  progress: (text: string) => void;
}): Promise<Report> {
  const store = await LimitStore.start();
  try {
    const rounds = new Map<Mode, LaneResult[]>(modeSchema.options.map((mode) => [mode, []]));
    for (let round = 1; round <= options.rounds; round++) {
      for (const [mode, measured] of rounds) {
        options.progress(`shared stack, round ${round} of ${options.rounds}: ${names[mode]}`);
        const job = { mode, url: store.url, requests };
        const { results } = await runTogether(script, [job], laneResultSchema);
        measured.push(...results);
      }
    }
    return reportOf(rounds);
  } finally {
    await store.stop();
  }
}

function reportOf(rounds: ReadonlyMap<Mode, readonly LaneResult[]>): Report {
  const middle = (mode: Mode, of: (result: LaneResult) => number) => median((rounds.get(mode) ?? []).map(of));
  const p50 = (mode: Mode) => middle(mode, ({ p50Us }) => p50Us);
  return {
    title: 'Shared stack: cost of a request',
    setting: [
      `${requests} GET requests with one good key, one after another in one warm process; the store is a dynalite in another.`,
      'Lines of log and metrics are made and dropped.',
    ],
    columns: [
      { title: 'In front of the handler' },
      { title: 'p50 µs', align: 'right' },
      { title: 'p99 µs', align: 'right' },
      { title: 'CPU µs', align: 'right' },
      { title: 'questions per 1 000', align: 'right' },
    ],
    rows: modeSchema.options.map((mode) => [
      names[mode],
      number(p50(mode), 1),
      number(
        middle(mode, ({ p99Us }) => p99Us),
        1,
      ),
      number(
        middle(mode, ({ cpuUs }) => cpuUs),
        1,
      ),
      number((1000 * middle(mode, ({ questions }) => questions)) / requests, 1),
    ]),
    findings: [
      `A request pays ${Math.round(p50('stack') - p50('bare'))} µs to the stack and ${Math.round(p50('gate') - p50('stack'))} µs to the gate.`,
    ],
  };
}
