import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { discardClusters } from '../../local/postgres/home.ts';
import { median, quantile } from '../measure/statistics.ts';
import { number } from '../report/figures.ts';
import type { Report } from '../report/report.ts';
import { type Latency, measureBareServer, measureLatency } from './latency.ts';
import { RunningPlatform } from './runtime.ts';

const requests = 200;
/** How long a start may take, in seconds. */
const aims = { first: 45, second: 20 };
/** Reads the health of both shards; reads a page of the catalogue. */
const routes = ['/api/health', '/api/disaster-recovery/backups'];

export interface LocalSuiteOptions {
  rounds: number;
  progress: (text: string) => void;
}

/** Measures how long the local runtime takes to be ready, and its API to answer. */
export async function measureLocal({ rounds, progress }: LocalSuiteOptions): Promise<Report[]> {
  const cold: number[] = [];
  const warm: number[] = [];
  let latencies: [string, Latency][] = [];
  for (let round = 1; round <= rounds; round++) {
    const directory = await mkdtemp(join(tmpdir(), 'mainstay-bench-'));
    const state = join(directory, 'state');
    // PostgreSQL's own user has to get through when root runs this.
    await chmod(directory, 0o711);
    try {
      progress(`local runtime, round ${round} of ${rounds}: first start`);
      const first = await RunningPlatform.start(state);
      cold.push(first.bootSeconds);
      await first.stop();
      progress(`local runtime, round ${round} of ${rounds}: second start`);
      const second = await RunningPlatform.start(state);
      warm.push(second.bootSeconds);
      try {
        if (round === rounds) latencies = await measureRoutes(second, progress);
      } finally {
        await second.stop();
      }
    } finally {
      await discardClusters(state);
      await rm(directory, { recursive: true, force: true });
    }
  }
  return [bootReport(cold, warm, rounds), latencyReport(latencies)];
}

async function measureRoutes(
  { facts }: RunningPlatform,
  progress: LocalSuiteOptions['progress'],
): Promise<[string, Latency][]> {
  const headers = { authorization: `Bearer ${facts.adminKey}` };
  const latencies: [string, Latency][] = [];
  for (const route of routes) {
    progress(`local runtime: GET ${route}`);
    latencies.push([`GET ${route}`, await measureLatency(new URL(route, facts.baseUrl), headers, requests)]);
  }
  latencies.push(['bare node:http server', await measureBareServer(requests)]);
  return latencies;
}

function bootReport(cold: readonly number[], warm: readonly number[], rounds: number): Report {
  const row = (name: string, seconds: readonly number[]) => [
    name,
    number(median(seconds), 1),
    number(Math.max(...seconds), 1),
  ];
  return {
    title: 'Local runtime: from npm start to ready',
    setting: [
      `Two shards of PostgreSQL, each with a standby, and the synthesized app; ${rounds} starts of each kind.`,
      'First: no state, so synthesis, clusters, example data. Second: the state of the first.',
    ],
    columns: [
      { title: 'Start' },
      { title: 'median s', align: 'right' },
      { title: 'longest s', align: 'right' },
    ],
    rows: [row('first', cold), row('second', warm)],
    findings: [aim('first', cold), aim('second', warm)],
  };
}

function aim(start: keyof typeof aims, seconds: readonly number[]): string {
  const met = Math.max(...seconds) <= aims[start];
  return `A ${start} start within ${aims[start]} s: ${met ? 'met' : 'missed'}.`;
}

function latencyReport(latencies: readonly [string, Latency][]): Report {
  return {
    title: 'Local runtime: the API',
    setting: [
      `${requests} requests one after the other on one connection, 40 a second, in ms, after a first one that starts the function.`,
      'Each passes the HTTP front, the function in its own process, and what that reads.',
    ],
    columns: [
      { title: 'Request' },
      { title: 'first', align: 'right' },
      { title: 'p50', align: 'right' },
      { title: 'p95', align: 'right' },
    ],
    rows: latencies.map(([name, { first, rest }]) => [
      name,
      number(first, 0),
      number(quantile(rest, 0.5), 1),
      number(quantile(rest, 0.95), 1),
    ]),
    findings: [],
  };
}
