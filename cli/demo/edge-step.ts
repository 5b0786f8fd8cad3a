import { setTimeout as sleep } from 'node:timers/promises';
import type * as z from 'zod';
import { analyticsRoutes } from '../../functions/cdn/analytics/contract.ts';
import type { ApiClient } from '../api-client.ts';
import { followPurge, followWarming, startPurge, startWarming } from '../edge-work.ts';
import { type EdgeRow, edgeTable, trafficTable } from '../views/edge-tables.ts';
import type { DemoOutput } from './demo-output.ts';

const analytics = analyticsRoutes.getAnalytics;
type Summary = z.output<(typeof analytics.responses)[200]['schema']>;

/** Two pages of the example's website. */
const page = '/about.html';
const other = '/products/index.html';
/** How long the log of the edge may take until it is counted, in milliseconds. */
const patienceMs = 60_000;

/**
 * Shows what the edge in front of the example's website does: a MISS and a HIT, a purge, a warming, and what the analytics say of it.
 *
 * @throws when a step does not come out as it should.
 */
export async function showEdge(
  client: ApiClient,
  out: DemoOutput,
  signal: AbortSignal,
  edgeUrl: string,
): Promise<void> {
  const started = performance.now();
  const before = await read(client);
  await purge(client, [page, other]);
  const rows: EdgeRow[] = [];
  const asked = async (what: string, path: string, expected: RegExp) => {
    const row = await ask(edgeUrl, what, path, signal);
    if (!expected.test(row.cache))
      throw new Error(`${path} was ${expected.source} to be and is ${row.cache}.`);
    rows.push(row);
  };
  await asked('asked for', page, /^Miss/);
  await asked('asked again', page, /^Hit/);
  rows.push({ what: 'purged', path: page, cache: 'forgotten', ms: await purge(client, [page]) });
  await asked('asked for', page, /^Miss/);
  const { progress, ms } = await warm(client, [other]);
  rows.push({ what: 'warmed', path: other, cache: `${progress.cold} of ${progress.requests} were cold`, ms });
  await asked('asked for', other, /^Hit/);
  out.done('the edge forgets what it is told, and has what it will need', performance.now() - started);
  out.say(`\n${edgeTable(rows)}\n`);
  const views = rows.filter(({ bytes }) => bytes !== undefined).length;
  await showTraffic(client, out, signal, before.totals.requests + views + progress.requests);
}

const read = (client: ApiClient): Promise<Summary> =>
  client.call(analytics.method, analytics.path, analytics.responses[200].schema);

async function showTraffic(
  client: ApiClient,
  out: DemoOutput,
  signal: AbortSignal,
  requests: number,
): Promise<void> {
  const started = performance.now();
  for (;;) {
    const summary = await read(client);
    if (summary.totals.requests >= requests) {
      out.done('its log is counted', performance.now() - started);
      out.say(`\n${trafficTable(summary.totals)}\n`);
      return;
    }
    if (performance.now() - started > patienceMs) throw new Error('The log of the edge is not counted.');
    await sleep(500, undefined, { signal });
  }
}

/** As a viewer asks, by HTTP. */
async function ask(edgeUrl: string, what: string, path: string, signal: AbortSignal): Promise<EdgeRow> {
  const started = performance.now();
  const response = await fetch(`${edgeUrl}${path}`, { signal });
  const { byteLength: bytes } = await response.arrayBuffer();
  const ms = performance.now() - started;
  return { what, path, cache: response.headers.get('x-cache') ?? 'nothing', bytes, ms };
}

/** Purges paths, and waits until they are. Returns how long it took, in milliseconds. */
async function purge(client: ApiClient, paths: readonly string[]): Promise<number> {
  const started = performance.now();
  const id = await startPurge(client, { paths });
  const { state, error } = await followPurge(client, id);
  if (state !== 'completed')
    throw new Error(`The purge ${id} is ${state}: ${error?.message ?? 'no cause given'}`);
  return performance.now() - started;
}

async function warm(client: ApiClient, paths: readonly string[]) {
  const started = performance.now();
  const id = await startWarming(client, { paths });
  const { state, error, progress } = await followWarming(client, id);
  if (state !== 'completed')
    throw new Error(`The warming ${id} is ${state}: ${error?.message ?? 'no cause given'}`);
  return { progress, ms: performance.now() - started };
}
