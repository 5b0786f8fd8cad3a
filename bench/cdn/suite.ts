import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatBytes } from '../../cli/units.ts';
import { runShells } from '../measure/shell.ts';
import { median } from '../measure/statistics.ts';
import { versionOf } from '../measure/tools.ts';
import { bytes, factor, number } from '../report/figures.ts';
import type { Outcome, Report } from '../report/report.ts';
import { type Counted, differenceFrom } from './counted.ts';
import { writeLog } from './log-lines.ts';
import { findPeers, type Lane, own } from './peers.ts';

/** At the default size, a million lines. */
const linesPerMb = 1_000_000 / 240;
/** Who takes longer is measured once. */
const slowSeconds = 20;
/** What a function that counts may hold. */
const aimBytes = 256 * 1024 * 1024;

interface Run {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly peakRssBytes: number | undefined;
  readonly counted: Counted | undefined;
}

/** Measures how fast logs of the edge are counted, and in how much memory, beside others who count them. */
export async function measureCdn(options: {
  sizeMb: number;
  rounds: number;
  progress: (text: string) => void;
}): Promise<Outcome> {
  const lines = Math.round(options.sizeMb * linesPerMb);
  const { lanes: peers, versions, missing } = await findPeers();
  const pinned = (await versionOf('taskset')) !== undefined;
  const directory = await mkdtemp(join(tmpdir(), 'mainstay-bench-'));
  const log = join(directory, 'log');
  try {
    options.progress(`cdn: writing ${lines} lines`);
    await writeLog(log, lines);
    const runs = new Map<string, Run[]>();
    for (let round = 1; round <= options.rounds; round++) {
      for (const lane of [own, ...peers]) {
        for (const [form, file] of [
          ['text', log],
          ['gzip', `${log}.gz`],
        ] as const) {
          options.progress(`cdn, round ${round} of ${options.rounds}: ${lane.name}, ${form}`);
          const key = `${lane.name} ${form}`;
          const [first] = runs.get(key) ?? [];
          // Once says enough of what takes that long.
          if (first !== undefined && first.seconds > slowSeconds) continue;
          runs.set(key, [...(runs.get(key) ?? []), await runOf(lane, file, pinned)]);
        }
      }
    }
    checkParity([own, ...peers], runs);
    const size = (await stat(log)).size;
    const memory = [await memoryOf(log, lines, runs, options)];
    const speed = speedReport([own, ...peers], runs, lines, size, pinned);
    return { setting: versions, reports: [speed, ...memory], missing };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function runOf(lane: Lane, file: string, pinned: boolean): Promise<Run> {
  const command = lane.command(file);
  // One core, and the processes of a pipe share it.
  const { seconds, stdout, ...used } = await runShells([
    pinned ? `taskset -c 0 sh -c ${quoted(command)}` : command,
  ]);
  const counted = lane.read(stdout);
  return { ...used, counted, seconds: counted?.seconds ?? seconds };
}

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** @throws when somebody counts something else: then their times say nothing. */
function checkParity(lanes: readonly Lane[], runs: ReadonlyMap<string, readonly Run[]>): void {
  const found = lanes.flatMap(({ name }) =>
    ['text', 'gzip'].flatMap((form) =>
      (runs.get(`${name} ${form}`) ?? []).flatMap(({ counted }) =>
        counted === undefined ? [] : [{ name, counted }],
      ),
    ),
  );
  const exact = found.find(({ counted }) => counted.pathError === 0);
  if (exact === undefined) return;
  for (const { name, counted } of found) {
    const difference = differenceFrom(exact.counted, counted);
    if (difference !== undefined)
      throw new Error(`${name} counts otherwise than ${exact.name}: ${difference}.`);
  }
}

function speedReport(
  lanes: readonly Lane[],
  runs: ReadonlyMap<string, readonly Run[]>,
  lines: number,
  size: number,
  pinned: boolean,
): Report {
  const middle = (name: string, form: string, of: (run: Run) => number) =>
    median((runs.get(`${name} ${form}`) ?? []).map(of));
  const rate = (name: string, form: string) => lines / middle(name, form, ({ seconds }) => seconds);
  const exact = lanes.some(({ name }) =>
    runs.get(`${name} text`)?.some(({ counted }) => counted?.pathError === 0),
  );
  const error = runs.get(`${own.name} text`)?.[0]?.counted?.pathError ?? 0;
  return {
    title: 'Logs of the edge: lines per second',
    setting: [
      `${lines} lines of 33 fields, ${formatBytes(size)} of text; ${pinned ? 'one core for all processes of a candidate' : 'not kept to one core: there is no taskset'}.`,
      'Everybody counts requests, bytes, server errors and requests by path; all but GoAccess hits and misses.',
      'Mainstay and DuckDB are timed from the first byte to the result, the others as whole processes.',
      exact
        ? `Parity: equal totals, and the same hundred first paths; ours are at most ${error} requests too low, as they say of themselves.`
        : 'Parity was not checked: nobody is there to compare with.',
    ],
    columns: [
      { title: 'Who' },
      { title: 'text: lines/s', align: 'right' },
      { title: 'gzip: lines/s', align: 'right' },
      { title: 'ours is', align: 'right' },
      { title: 'memory', align: 'right' },
      { title: 'counts as well' },
    ],
    rows: lanes.map(({ name, also }) => [
      name,
      number(rate(name, 'text'), 0),
      number(rate(name, 'gzip'), 0),
      name === own.name ? undefined : factor(rate(own.name, 'text') / rate(name, 'text')),
      bytes(middle(name, 'text', ({ peakRssBytes }) => peakRssBytes ?? 0)),
      also,
    ]),
    findings: lanes.slice(1).flatMap(({ name }) => {
      const times = (form: string) => rate(own.name, form) / rate(name, form);
      const aim = name === 'GoAccess' ? 10 : name.startsWith('DuckDB') ? 1 : undefined;
      const aims =
        aim === undefined
          ? ''
          : ` Aim ≥ ${aim}×: ${times('text') >= aim && times('gzip') >= aim ? 'met' : 'MISSED'}.`;
      return [
        `${times('text').toFixed(2)}× as fast as ${name} from text, ${times('gzip').toFixed(2)}× from gzip.${aims}`,
      ];
    }),
  };
}

/** Ten times as many lines, in the same memory. */
async function memoryOf(
  log: string,
  lines: number,
  runs: ReadonlyMap<string, readonly Run[]>,
  { progress }: { progress: (text: string) => void },
): Promise<Report> {
  const large = `${log}-large`;
  progress(`cdn: writing ${10 * lines} lines`);
  await writeLog(large, 10 * lines, 1);
  const found: [string, number, number | undefined][] = [];
  for (const form of ['text', 'gzip'] as const) {
    progress(`cdn: ${10 * lines} lines, ${form}`);
    const before = (runs.get(`${own.name} ${form}`) ?? []).map(({ peakRssBytes }) => peakRssBytes ?? 0);
    const { peakRssBytes, counted } = await runOf(own, form === 'text' ? large : `${large}.gz`, false);
    if (counted?.requests !== 10 * lines)
      throw new Error(`Of ${10 * lines} lines ${counted?.requests} were counted.`);
    found.push([form, Math.max(...before), peakRssBytes]);
  }
  const most = Math.max(...found.map(([, , peak]) => peak ?? 0));
  return {
    title: 'Logs of the edge: memory',
    setting: ['Most memory of the process that was resident at once.'],
    columns: [
      { title: 'From' },
      { title: `${lines} lines`, align: 'right' },
      { title: `${10 * lines} lines`, align: 'right' },
    ],
    rows: found.map(([form, small, peak]) => [form, bytes(small), bytes(peak)]),
    findings: [`Aim < ${formatBytes(aimBytes)}, whatever the size: ${most < aimBytes ? 'met' : 'MISSED'}.`],
  };
}
