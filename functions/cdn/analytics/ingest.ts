import { createHash } from 'node:crypto';
import { newId } from '../../shared/ids.ts';
import { LogAccumulator, type LogSummary } from './accumulator.ts';
import type { AnalyticsTable } from './analytics-table.ts';
import { bundleOf, trafficParts } from './bundle.ts';
import type { BundleStore } from './bundle-store.ts';
import { hour, instant } from './intervals.ts';
import { readLog } from './read-log.ts';
import { intervalExpiry, oldestCounted, type Retention } from './retention.ts';
import { noTenant, type Websites } from './tenants.ts';

export interface IngestDependencies {
  readonly table: AnalyticsTable;
  readonly bundles: BundleStore;
  readonly websites: Websites;
  readonly retention: Retention;
  readonly now: () => Date;
}

/** What came of a log. */
export interface Ingested extends Omit<LogSummary, 'intervals'> {
  readonly id: string;
  /** Whether some of it had not been counted before. */
  readonly added: boolean;
  readonly summary: LogSummary;
}

/**
 * Counts a log. A log is known by its bytes: however often it comes, and under whatever name, it is counted once, and a second
 * attempt after a crash does what is left to do.
 *
 * @throws DependencyError, LogTooDiverse, and zlib’s errors for a file that is damaged
 */
export async function ingestLog(
  source: AsyncIterable<Buffer>,
  { table, bundles, websites, retention, now }: IngestDependencies,
): Promise<Ingested> {
  const { at: resets } = await table.resets();
  const started = now();
  const accumulator = new LogAccumulator({
    websites,
    resets,
    oldest: oldestCounted(retention, started),
    newest: started.getTime() / 1000 + hour,
  });
  const hash = createHash('sha256');
  await readLog(hashing(source, hash), accumulator);
  const summary = accumulator.finish();
  const id = hash.digest('hex').slice(0, 32);
  let added = false;
  for (const [start, byTenant] of summary.intervals) {
    const bundle = bundleOf(trafficParts(byTenant, noTenant));
    const expiresAt = intervalExpiry(retention, start);
    const stored = await bundles.put(`pending/${instant(start)}/${id}`, bundle);
    added = (await table.addLog(start, id, stored, expiresAt)) || added;
    // Last: what is marked before it is there could be found done.
    await table.mark({ kind: 'interval', start }, newId(started), expiresAt);
  }
  const { intervals: _, ...counts } = summary;
  return { id, added, summary, ...counts };
}

async function* hashing(
  source: AsyncIterable<Buffer>,
  hash: ReturnType<typeof createHash>,
): AsyncGenerator<Buffer> {
  for await (const chunk of source) {
    hash.update(chunk);
    yield chunk;
  }
}
