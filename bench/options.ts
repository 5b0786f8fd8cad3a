import { parseArgs } from 'node:util';

export const suiteNames = [
  'backup',
  'restore',
  'incremental',
  'load',
  'local',
  'limits',
  'stack',
  'scale',
  'files',
  'edge',
  'cdn',
  'shards',
  'tracing',
] as const;
export type SuiteName = (typeof suiteNames)[number];

export const usage = `Usage: npm run bench -- [options]

Measures Mainstay beside its peers, in one run, on the same data.

  --only <names>   suites to run, separated by commas: ${suiteNames.join(', ')} (default all)
  --size <MB>      COPY text of the largest table, 1 to 100000 (default 240)
  --rounds <n>     how often everything is measured, 1 to 99; the median counts (default 3)
  --json           print one JSON document instead of tables
  -h, --help       show this text
`;

export interface BenchOptions {
  only: readonly SuiteName[];
  /** COPY text of the largest table, in MB (10^6 bytes). */
  sizeMb: number;
  rounds: number;
  json: boolean;
  help: boolean;
}

/**
 * Reads the command line of `npm run bench`.
 *
 * @throws with a message for the user when an option is unknown or its value is out of range.
 */
export function parseOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    strict: true,
    options: {
      only: { type: 'string', default: suiteNames.join(',') },
      size: { type: 'string', default: '240' },
      rounds: { type: 'string', default: '3' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  return {
    only: values.only.split(',').map(suiteOf),
    sizeMb: integerOf('--size', values.size, 100_000),
    rounds: integerOf('--rounds', values.rounds, 99),
    json: values.json,
    help: values.help,
  };
}

function suiteOf(text: string): SuiteName {
  const found = suiteNames.find((name) => name === text.trim());
  if (found === undefined) throw new Error(`--only takes ${suiteNames.join(', ')}, not ${text}.`);
  return found;
}

function integerOf(option: string, text: string, largest: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > largest) {
    throw new Error(`${option} takes a whole number from 1 to ${largest}, not ${text}.`);
  }
  return value;
}
