import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import * as z from 'zod';
import { tracesToProtobuf } from '../../functions/tracing/query/encode/to-protobuf.ts';
import { discardClusters } from '../../local/postgres/home.ts';
import { RunningPlatform } from '../local/runtime.ts';
import { quantile } from '../measure/statistics.ts';
import { number } from '../report/figures.ts';
import type { Report } from '../report/report.ts';
import { messageOf, traceIdOf } from './spans.ts';

const traces = 64;
const spansOfTrace = 8;
const spansOfRequest = traces * spansOfTrace;
const requests = 150;
const senders = [1, 4] as const;
const answerSchema = z.looseObject({ spanCount: z.int() });

interface Round {
  readonly senders: number;
  readonly seconds: number;
  readonly times: readonly number[];
}

/** Measures `POST /v1/traces` on the local runtime, from the sender's side: an answer means that the spans are stored. */
export async function measureIngest({ progress }: { progress: (text: string) => void }): Promise<Report> {
  const directory = await mkdtemp(join(tmpdir(), 'mainstay-bench-'));
  const state = join(directory, 'state');
  // PostgreSQL's own user has to get through when root runs this.
  await chmod(directory, 0o711);
  try {
    progress('traces: starting the local runtime');
    const platform = await RunningPlatform.start(state);
    try {
      const { baseUrl, adminKey } = platform.facts;
      const sender = new Sender(baseUrl, adminKey);
      // Until the functions run.
      await sender.sendAll(10, Math.max(...senders));
      const rounds: Round[] = [];
      for (const count of senders) {
        progress(`traces: ${count} senders`);
        rounds.push({ senders: count, ...(await sender.sendAll(requests, count)) });
      }
      await sender.requireStored();
      return reportOf(rounds);
    } finally {
      await platform.stop();
    }
  } finally {
    await discardClusters(state);
    await rm(directory, { recursive: true, force: true });
  }
}

/** Sends requests of spans that were never sent before. */
class Sender {
  readonly #url: string;
  readonly #headers: Record<string, string>;
  #sent = 0;

  constructor(url: string, key: string) {
    this.#url = url;
    this.#headers = { authorization: `Bearer ${key}` };
  }

  /** Sends so many requests, made beforehand, `atOnce` at the same time. @throws when one is not answered 200. */
  async sendAll(count: number, atOnce: number): Promise<Omit<Round, 'senders'>> {
    const startMs = Date.now() - 60_000;
    const bodies = Array.from({ length: count }, () => {
      const seed = this.#sent++;
      return gzipSync(tracesToProtobuf(messageOf({ seed, traces, spansOfTrace, startMs, withinMs: 5_000 })));
    });
    const times: number[] = [];
    const lane = async () => {
      for (let body = bodies.pop(); body !== undefined; body = bodies.pop()) {
        const started = performance.now();
        await this.#send(body);
        times.push(performance.now() - started);
      }
    };
    const started = performance.now();
    await Promise.all(Array.from({ length: atOnce }, lane));
    return { seconds: (performance.now() - started) / 1_000, times };
  }

  async #send(body: Uint8Array<ArrayBuffer>): Promise<void> {
    const headers = { 'content-type': 'application/x-protobuf', 'content-encoding': 'gzip' };
    const answer = await fetch(`${this.#url}/v1/traces`, {
      method: 'POST',
      headers: { ...this.#headers, ...headers },
      body,
    });
    const said = await answer.arrayBuffer();
    if (answer.status !== 200 || said.byteLength > 0)
      throw new Error(`Spans were answered ${answer.status}.`);
  }

  /** @throws when one of some traces, from the first request to the last, is not there in whole. */
  async requireStored(): Promise<void> {
    for (let seed = 0; seed < this.#sent; seed += 20) {
      const path = `/api/monitoring/tracing/${traceIdOf(seed, traces - 1)}`;
      const answer = await fetch(`${this.#url}${path}`, { headers: this.#headers });
      const { spanCount } = answerSchema.parse(await answer.json());
      if (spanCount !== spansOfTrace) throw new Error('A trace that was accepted is not there in whole.');
    }
  }
}

function reportOf(rounds: readonly Round[]): Report {
  return {
    title: 'Traces: ingest from end to end',
    setting: [
      `npm start; ${requests} requests of ${spansOfRequest} spans in protobuf with gzip, in ms until the answer, which comes when they are stored.`,
      'HTTP front, function, DynamoDB (dynalite) and sender share the cores. Traces of the first request to the last were read back in whole.',
    ],
    columns: [
      { title: 'Senders' },
      { title: 'spans/s', align: 'right' },
      { title: 'p50', align: 'right' },
      { title: 'p99', align: 'right' },
    ],
    rows: rounds.map(({ senders: count, seconds, times }) => [
      String(count),
      number((requests * spansOfRequest) / seconds, 0),
      number(quantile(times, 0.5), 0),
      number(quantile(times, 0.99), 0),
    ]),
    findings: [],
  };
}
