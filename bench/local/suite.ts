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
const aims = { first: 45, later: 20 };
/** Reads the health of both shards; reads a page of the catalogue. */
const routes = ['/api/health', '/api/disaster-recovery/backups'];

export interface LocalSuiteOptions {
  rounds: number;
  progress: (text: string) => void;
}

/** Measures how long the local runtime takes to be ready, and its API to answer. */
export async function measureLocal({ rounds, progress }: LocalSuiteOptions): Promise<Report[]> {
  const directory = await mkdtemp(join(tmpdir(), 'mainstay-bench-'));
  const state = join(directory, 'state');
  // PostgreSQL's own user has to get through when root runs this.
  await chmod(directory, 0o711);
  try {
    progress('local runtime: first start');
    const first = await RunningPlatform.start(state);
    await first.stop();
    const later: number[] = [];
    let latencies: [string, Latency][] = [];
    for (let round = 1; round <= rounds; round++) {
      progress(`local runtime: later start ${round} of ${rounds}`);
      const platform = await RunningPlatform.start(state);
      later.push(platform.bootSeconds);
      try {
        if (round === rounds) latencies = await measureRoutes(platform, progress);
      } finally {
        await platform.stop();
      }
    }
    return [bootReport(first.bootSeconds, later), latencyReport(latencies)];
  } finally {
    await discardClusters(state);
    await rm(directory, { recursive: true, force: true });
  }
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

function bootReport(first: number, later: readonly number[]): Report {
  const longest = Math.max(...later);
  return {
    title: 'Local runtime: from npm start to ready',
    setting: [
      'Two shards of PostgreSQL, each with a standby, and the synthesized app.',
      `First: without state, so synthesis, clusters, example data. Later: the median of ${later.length}, with that state.`,
    ],
    columns: [{ title: 'Start' }, { title: 's', align: 'right' }, { title: 'aim', align: 'right' }],
    rows: [
      ['first', number(first, 1), number(aims.first, 0)],
      ['later', number(median(later), 1), number(aims.later, 0)],
    ],
    findings: [
      `The aims are ${first <= aims.first && longest <= aims.later ? 'met' : 'missed'}; the longest later start took ${longest.toFixed(1)} s.`,
    ],
  };
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
