import { formatBytes, formatDuration } from '../../cli/units.ts';
import { number } from '../report/figures.ts';
import type { Report } from '../report/report.ts';
import { backupMachine, type Concurrency } from './definition.ts';
import { type Requests, requestsOf } from './requests.ts';
import { type Simulated, simulate } from './simulate.ts';
import { chunksOf, tenTerabytes, type Workload } from './workload.ts';

/** From what a new account can do to the most that the configuration allows. */
const scenarios: readonly Concurrency[] = [
  { shards: 1, chunks: 4 },
  { shards: 8, chunks: 8 },
  { shards: 16, chunks: 16 },
  { shards: 40, chunks: 16 },
];
const holdTermSeconds = 600;

/** What AWS lets an account do; see the page on quotas. */
const quotas = {
  historyEvents: 25_000,
  functions: 1_000,
  putsPerSecond: 3_500,
  kmsPerSecond: 10_000,
  /** Writes of one partition; a backup's notes have one partition key. */
  writesPerSecond: 1_000,
  transitionsPerSecond: 800,
} as const;

interface Scenario {
  readonly concurrency: Concurrency;
  readonly simulated: Simulated;
  readonly requests: Requests;
}

/** Simulates a full backup of ten terabytes over 64 shards, with the definition that is deployed. */
export async function measureScale(options: { progress: (text: string) => void }): Promise<Report[]> {
  const done: Scenario[] = [];
  for (const concurrency of scenarios) {
    options.progress(`scale: ${concurrency.shards} shards at a time, ${concurrency.chunks} chunks of each`);
    const machine = await backupMachine(concurrency);
    const simulated = await simulate(machine, tenTerabytes, { holdTermSeconds });
    done.push({ concurrency, simulated, requests: requestsOf(tenTerabytes, simulated) });
  }
  return [reportOf(tenTerabytes, done)];
}

function reportOf(work: Workload, done: readonly Scenario[]): Report {
  return {
    title: 'Scale: a full backup of 10 TB over 64 shards, simulated',
    setting: [
      `${work.shards} × ${chunksOf(work)} chunks of ${formatBytes(work.chunkBytes)} of heap; ${work.textRatio} bytes of COPY text for a byte of heap, ${work.compression} for a stored one.`,
      `A function copies ${formatBytes(work.copyRate)} and reads back ${formatBytes(work.verifyRate)} of text a second; an instance sends at most ${formatBytes(work.shardRate)}.`,
      'The synthesized definition runs on a clock that does not wait; functions take their time and do nothing.',
    ],
    columns: [
      { title: 'shards × chunks at a time' },
      { title: 'takes', align: 'right' },
      { title: 'functions at once', align: 'right' },
      { title: 'history events', align: 'right' },
      { title: 'transitions/s', align: 'right' },
      { title: 'S3 writes/s', align: 'right' },
      { title: 'KMS/s', align: 'right' },
      { title: 'DynamoDB writes/s', align: 'right' },
      { title: '$', align: 'right' },
    ],
    rows: done.map(({ concurrency, simulated, requests }) => {
      const perSecond = (count: number) => number(count / (simulated.durationMs / 1000), 0);
      return [
        `${concurrency.shards} × ${concurrency.chunks}`,
        { value: simulated.durationMs, text: formatDuration(simulated.durationMs) },
        number(simulated.mostFunctions, 0),
        number(simulated.historyEvents, 0),
        perSecond(simulated.transitions),
        perSecond(requests.puts),
        perSecond(requests.kms),
        perSecond(requests.dynamoWrites),
        number(requests.dollars, 2),
      ];
    }),
    findings: done.flatMap(findingsOf),
  };
}

/** Which quotas a scenario meets, by name. */
function findingsOf({ concurrency, simulated, requests }: Scenario): string[] {
  const seconds = simulated.durationMs / 1000;
  const used: readonly [string, number, number][] = [
    ['events of one execution', simulated.historyEvents, quotas.historyEvents],
    ['concurrent functions', simulated.mostFunctions, quotas.functions],
    ['S3 writes a second under one prefix', requests.puts / seconds, quotas.putsPerSecond],
    ['KMS requests a second', requests.kms / seconds, quotas.kmsPerSecond],
    ['writes a second of one partition', requests.dynamoWrites / seconds, quotas.writesPerSecond],
    ['state transitions a second', simulated.transitions / seconds, quotas.transitionsPerSecond],
  ];
  const name = `${concurrency.shards} × ${concurrency.chunks}`;
  const over = used.filter(([, value, quota]) => value > quota);
  const [what, value, quota] = used.reduce((most, one) => (one[1] / one[2] > most[1] / most[2] ? one : most));
  return over.length === 0
    ? [`${name}: nearest to a quota are ${what}, ${Math.round(value)} of ${quota}.`]
    : over.map(
        ([what, value, quota]) => `${name}: ${what}: ${Math.round(value)}, and the quota is ${quota}.`,
      );
}
