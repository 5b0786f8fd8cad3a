import type { Trial } from './trial.ts';

const columns: readonly (readonly [string, (trials: readonly Trial[]) => string])[] = [
  ['Scenario', ([first]) => first?.scenario ?? ''],
  ['Runs', (trials) => String(trials.length)],
  ['Wrong', (trials) => String(trials.filter(({ right }) => !right).length)],
  ['Acknowledged', (trials) => String(sum(trials, ({ acknowledged }) => acknowledged))],
  ['Lost', (trials) => String(sum(trials, ({ lost }) => lost))],
  ['By a second writer', (trials) => String(sum(trials, ({ foreign }) => foreign))],
  ['By a fenced one', (trials) => fenced(trials)],
  ['Decision ms', (trials) => spread(trials, ({ decisionMs }) => decisionMs)],
  ['Promotion ms', (trials) => spread(trials, ({ promotionMs }) => promotionMs)],
  ['First write ms', (trials) => spread(trials, ({ firstWriteMs }) => firstWriteMs)],
  ['Decision to first write ms', (trials) => spread(trials, ({ decisionToWriteMs }) => decisionToWriteMs)],
  ['No write acknowledged ms', (trials) => spread(trials, ({ gapMs }) => gapMs)],
];

/** Trials as a table in Markdown: a line for each scenario, times as median / 95th percentile. */
export function tableOf(trials: readonly Trial[]): string {
  const scenarios = [...new Set(trials.map(({ scenario }) => scenario))];
  const lines = scenarios.map((name) => {
    const mine = trials.filter(({ scenario }) => scenario === name);
    return columns.map(([, cell]) => cell(mine));
  });
  const rows = [columns.map(([title]) => title), columns.map(() => '---'), ...lines];
  return rows.map((cells) => `| ${cells.join(' | ')} |\n`).join('');
}

/** One trial in a line, for who watches. */
export function lineOf({
  scenario,
  right,
  found,
  lost,
  decisionMs,
  decisionToWriteMs,
  details,
}: Trial): string {
  const times =
    decisionToWriteMs === undefined
      ? ''
      : `, decided after ${decisionMs} ms, written after ${decisionToWriteMs} ms more`;
  const losses = lost === 0 ? '' : `, lost ${details}`;
  return `${right ? '✓' : '✗'} ${scenario}: ${found}${times}${losses}`;
}

function sum(trials: readonly Trial[], measure: (trial: Trial) => number): number {
  return trials.reduce((total, trial) => total + measure(trial), 0);
}

function fenced(trials: readonly Trial[]): string {
  const known = trials.flatMap(({ afterFence }) => (afterFence === undefined ? [] : [afterFence]));
  return known.length === 0 ? '–' : String(known.reduce((total, count) => total + count, 0));
}

function spread(trials: readonly Trial[], measure: (trial: Trial) => number | undefined): string {
  const values = trials
    .map(measure)
    .filter((value) => value !== undefined)
    .sort((a, b) => a - b);
  if (values.length === 0) return '–';
  return `${percentile(values, 0.5)} / ${percentile(values, 0.95)}`;
}

/** By nearest rank, of sorted values. */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}
