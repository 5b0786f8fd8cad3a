import { median } from '../measure/statistics.ts';
import { runTogether, sumOf } from '../measure/together.ts';
import { number } from '../report/figures.ts';
import type { Report } from '../report/report.ts';
import { type Candidate, candidateNames } from './candidates.ts';
import { type LaneJob, laneResultSchema } from './lane.ts';
import { LimitStore } from './store.ts';

const script = new URL('lane-main.ts', import.meta.url).pathname;
const lanes = 2;
const candidates: readonly Candidate[] = ['sliding-window', 'token-bucket', 'rate-limiter-flexible'];

/** Quotas in requests a minute: one that these decisions do not use up, and one that they do. */
const scenarios = [
  { title: 'Rate limits: within a quota of 50 000 a minute', requests: 50_000, decisions: 4_000 },
  { title: 'Rate limits: beyond a quota of 1 000 a minute', requests: 1_000, decisions: 4_000 },
] as const;

interface Round {
  perSecond: number;
  p50Us: number;
  p99Us: number;
  questions: number;
  letIn: number;
}

/** Measures how fast requests are decided about, beside rate-limiter-flexible on the same store. */
export async function measureLimits(options: {
  rounds: number;
  progress: (text: string) => void;
}): Promise<Report[]> {
  const store = await LimitStore.start();
  try {
    const reports: Report[] = [];
    for (const scenario of scenarios) {
      const rounds = new Map<Candidate, Round[]>();
      for (let round = 1; round <= options.rounds; round++) {
        for (const candidate of candidates) {
          options.progress(`limits, round ${round} of ${options.rounds}: ${candidateNames[candidate]}`);
          const key = `${scenario.requests}-${round}`;
          const measured = await measureRound({ candidate, url: store.url, key, ...scenario });
          rounds.set(candidate, [...(rounds.get(candidate) ?? []), measured]);
        }
      }
      reports.push(reportOf(scenario, rounds));
    }
    return reports;
  } finally {
    await store.stop();
  }
}

async function measureRound(job: LaneJob): Promise<Round> {
  const jobs = Array.from({ length: lanes }, () => job);
  const { seconds, results } = await runTogether(script, jobs, laneResultSchema);
  const decisions = lanes * job.decisions;
  return {
    perSecond: decisions / seconds,
    p50Us: median(results.map(({ p50Us }) => p50Us)),
    p99Us: Math.max(...results.map(({ p99Us }) => p99Us)),
    questions: (1000 * sumOf(results, ({ questions }) => questions)) / decisions,
    letIn: sumOf(results, ({ letIn }) => letIn),
  };
}

function reportOf(
  { title, decisions }: (typeof scenarios)[number],
  rounds: ReadonlyMap<Candidate, readonly Round[]>,
): Report {
  const middle = (candidate: Candidate, of: (round: Round) => number) =>
    median((rounds.get(candidate) ?? []).map(of));
  const speedOf = (candidate: Candidate) => middle(candidate, ({ perSecond }) => perSecond);
  const peer = speedOf('rate-limiter-flexible');
  return {
    title,
    setting: [
      `${lanes} processes make ${decisions} decisions each for one key, one after another, on one dynalite in a process of its own.`,
      'rate-limiter-flexible counts fixed windows, with inMemoryBlockOnConsumed. On AWS a question to the store takes longer.',
    ],
    columns: [
      { title: 'Limiter' },
      { title: 'decisions/s', align: 'right' },
      { title: 'p50 µs', align: 'right' },
      { title: 'p99 µs', align: 'right' },
      { title: 'questions per 1 000', align: 'right' },
      { title: 'let in', align: 'right' },
    ],
    rows: candidates.map((candidate) => [
      candidateNames[candidate],
      number(speedOf(candidate), 0),
      number(
        middle(candidate, ({ p50Us }) => p50Us),
        0,
      ),
      number(
        middle(candidate, ({ p99Us }) => p99Us),
        0,
      ),
      number(
        middle(candidate, ({ questions }) => questions),
        1,
      ),
      number(
        middle(candidate, ({ letIn }) => letIn),
        0,
      ),
    ]),
    findings: candidates
      .filter((candidate) => candidate !== 'rate-limiter-flexible')
      .map(
        (candidate) =>
          `${candidateNames[candidate]}: ${(speedOf(candidate) / peer).toFixed(1)}× the decisions per second of rate-limiter-flexible.`,
      ),
  };
}
