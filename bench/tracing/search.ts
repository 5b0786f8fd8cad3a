import { setTimeout as sleep } from 'node:timers/promises';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { type Filter, ofService, withTag } from '../../functions/tracing/query/filter/filter.ts';
import { Budget } from '../../functions/tracing/query/search/budget.ts';
import { findPage } from '../../functions/tracing/query/search/find-traces.ts';
import { traceView } from '../../functions/tracing/query/view/trace-view.ts';
import { hourMs } from '../../functions/tracing/store/keys.ts';
import { SpanBlocks, type TimeRange } from '../../functions/tracing/store/span-blocks.ts';
import { SpanStore } from '../../functions/tracing/store/span-store.ts';
import { clientOf, LimitStore, tables } from '../limits/store.ts';
import { quantile } from '../measure/statistics.ts';
import { number } from '../report/figures.ts';
import type { Report } from '../report/report.ts';
import { customerOf, customerTag, messageOf, randomOf, type Service, services, traceIdOf } from './spans.ts';

const spansOfTrace = 20;
/** As many as a Collector puts into a request. */
const tracesOfRequest = 100;
const spread = 24 * hourMs;
const searches = 60;
const limit = 20;

interface Stored {
  readonly store: SpanStore;
  readonly blocks: SpanBlocks;
  readonly fromMs: number;
  readonly requests: number;
}

/** Measures searches over a day of spans, by what they ask for. */
export async function measureSearch({
  spans,
  progress,
}: {
  /** How many to store. */
  spans: number;
  progress: (text: string) => void;
}): Promise<Report> {
  const dynamo = await LimitStore.start();
  const base = clientOf(dynamo.url);
  try {
    const common = { client: DynamoDBDocumentClient.from(base), table: tables.own, now: Date.now };
    const store = new SpanStore({ ...common, retentionDays: 7 });
    const requests = Math.round(spans / (spansOfTrace * tracesOfRequest));
    const fromMs = Date.now() - spread;
    const stored: Stored = { store, blocks: new SpanBlocks(common), fromMs, requests };
    const started = performance.now();
    await fill(stored, progress);
    const perSecond = spans / ((performance.now() - started) / 1_000);
    await sleep(1_000);
    return reportOf(await measureAll(stored, progress), spans, perSecond);
  } finally {
    base.destroy();
    await dynamo.stop();
  }
}

const batchOf = (seed: number, { fromMs, requests }: Stored) => ({
  ...{ seed, traces: tracesOfRequest, spansOfTrace },
  ...{ startMs: fromMs + (spread * seed) / requests, withinMs: spread / requests },
});

async function fill(stored: Stored, progress: (text: string) => void): Promise<void> {
  for (let seed = 0; seed < stored.requests; seed++) {
    if (seed % 10 === 0) progress(`traces: storing spans, ${Math.round((100 * seed) / stored.requests)} %`);
    await stored.store.putSpans(messageOf(batchOf(seed, stored)));
  }
}

interface Question {
  readonly name: string;
  readonly filter: (random: () => number) => Filter;
  /** Hours of the range, which ends anywhere in the second half of the day. */
  readonly hours: number;
}

const anyOf = <T>(values: readonly T[], random: () => number): T | undefined =>
  values[Math.floor(random() * values.length)];
const anyService = (random: () => number): Service => anyOf(services, random) ?? 'web';
const anyCustomer = (random: () => number) => withTag(customerTag, customerOf(Math.floor(random() * 1e6)));

const questions: readonly Question[] = [
  { name: 'service, an hour', filter: (random) => ofService(anyService(random)), hours: 1 },
  {
    name: 'service and a tag of one trace in 1 000, an hour',
    filter: (random) => ({ all: [ofService(anyService(random)), anyCustomer(random)] }),
    hours: 1,
  },
  { name: 'that tag in all services, an hour', filter: anyCustomer, hours: 1 },
  {
    name: 'service and that tag, 12 hours',
    filter: (random) => ({ all: [ofService(anyService(random)), anyCustomer(random)] }),
    hours: 12,
  },
];

interface Measured {
  readonly name: string;
  readonly times: readonly number[];
  readonly found: number;
}

async function measureAll(stored: Stored, progress: (text: string) => void): Promise<Measured[]> {
  await requireAll(stored);
  const measured: Measured[] = [];
  for (const question of questions) {
    progress(`traces: search by ${question.name}`);
    measured.push(await measureQuestion(stored, question));
  }
  progress('traces: one by its id');
  const random = randomOf(3);
  const times: number[] = [];
  for (let index = 0; index < searches; index++) {
    const [seed, trace] = [random() * stored.requests, random() * tracesOfRequest].map(Math.floor);
    const started = performance.now();
    const found = await stored.store.spansOf(traceIdOf(seed ?? 0, trace ?? 0));
    traceView(found, { from: 0, limit: 1_000, characters: 3_500_000 });
    times.push(performance.now() - started);
    if (found.spans.length !== spansOfTrace) throw new Error('A trace is not what was stored.');
  }
  return [...measured, { name: 'trace id, with its view', times, found: 1 }];
}

async function measureQuestion(stored: Stored, { name, filter, hours }: Question): Promise<Measured> {
  const random = randomOf(11);
  const times: number[] = [];
  let found = 0;
  for (let index = 0; index < searches; index++) {
    const toMs = stored.fromMs + spread * (0.5 + 0.5 * random());
    const range = { fromMs: toMs - hours * hourMs, toMs };
    const started = performance.now();
    found += (await find(stored, filter(random), range)).length;
    times.push(performance.now() - started);
  }
  return { name, times, found: found / searches };
}

async function find({ store, blocks }: Stored, filter: Filter, range: TimeRange, most = limit) {
  const search = { filter, range, order: 'newest' as const };
  const page = await findPage(search, { store, blocks, budget: new Budget() }, most, (found) => found);
  if (page.readBackToMs !== undefined) throw new Error('A search reached a bound.');
  return page.items;
}

/** @throws when a search does not find exactly what was stored: then its speed says nothing. */
async function requireAll(stored: Stored): Promise<void> {
  const range = { fromMs: stored.fromMs, toMs: stored.fromMs + 2 * spread };
  const customer = customerOf(17);
  const expected = (stored.requests * tracesOfRequest) / 1_000;
  const filter: Filter = { all: [ofService('web'), withTag(customerTag, customer)] };
  const items = await find(stored, filter, range, expected + 1);
  if (items.length !== expected) throw new Error(`A search found ${items.length} of ${expected} traces.`);
}

function reportOf(measured: readonly Measured[], spans: number, perSecond: number): Report {
  return {
    title: 'Traces: search',
    setting: [
      `${spans} spans of a day, ${spansOfTrace} to a trace, ${services.length} services, stored at ${Math.round(perSecond)} spans/s in requests of ${spansOfTrace * tracesOfRequest}; a dynalite in a process of its own.`,
      `The latest ${limit} traces, each read in whole; ${searches} searches of each kind, one after another, in ms. That all are found was seen before.`,
    ],
    columns: [
      { title: 'By' },
      { title: 'p50', align: 'right' },
      { title: 'p95', align: 'right' },
      { title: 'found', align: 'right' },
    ],
    rows: measured.map(({ name, times, found }) => [
      name,
      number(quantile(times, 0.5), 1),
      number(quantile(times, 0.95), 1),
      number(found, 1),
    ]),
    findings: [],
  };
}
