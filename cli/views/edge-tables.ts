import type { Purge } from '../../functions/cdn/purge/model.ts';
import type { Warming } from '../../functions/cdn/warming/model.ts';
import { formatTable } from '../table.ts';
import { formatBytes, formatDuration } from '../units.ts';

const right = 'right' as const;

/** What was done about a page, and what the edge's cache had to do with it. */
export interface EdgeRow {
  readonly what: string;
  readonly path: string;
  readonly cache: string;
  /** Of an answer. */
  readonly bytes?: number;
  readonly ms: number;
}

/** What the edge did, step by step. */
export const edgeTable = (rows: readonly EdgeRow[]): string =>
  formatTable(
    [
      { title: 'step' },
      { title: 'page' },
      { title: 'cache' },
      { title: 'size', align: right },
      { title: 'time', align: right },
    ],
    rows.map(({ what, path, cache, bytes, ms }) => [
      ...[what, path, shown(cache)],
      ...[bytes === undefined ? '' : formatBytes(bytes), formatDuration(ms)],
    ]),
  );

/** `Hit from cloudfront` is a HIT. */
const shown = (cache: string): string =>
  cache.replace(/^(hit|miss) from cloudfront$/i, (_, word: string) => word.toUpperCase());

interface Totals {
  readonly requests: number;
  readonly hitRatePercent: number | null;
  readonly bytes: number;
  readonly purges: number;
  readonly uniqueVisitors: { readonly estimate: number };
  readonly latencyMs: { readonly p50: number | null; readonly p99: number | null };
}

/** What the analytics say of the last day, in one row. */
export const trafficTable = (totals: Totals): string =>
  formatTable(
    [
      { title: 'the last day' },
      ...['requests', 'hit rate', 'sent', 'visitors', 'P50', 'P99', 'purges'].map((title) => ({
        title,
        align: right,
      })),
    ],
    [
      [
        'analytics',
        totals.requests.toLocaleString('en'),
        totals.hitRatePercent === null ? '–' : `${totals.hitRatePercent.toFixed(1)} %`,
        formatBytes(totals.bytes),
        totals.uniqueVisitors.estimate.toLocaleString('en'),
        ...[totals.latencyMs.p50, totals.latencyMs.p99].map((ms) => (ms === null ? '–' : formatDuration(ms))),
        totals.purges.toLocaleString('en'),
      ],
    ],
  );

/** What a purge has come to. */
export function purgeText({ items, target, durations, verification, warmingId, state }: Purge): string {
  const counts = [
    ...(items.everything ? ['everything'] : []),
    ...counted(items.paths, 'path'),
    ...counted(items.prefixes, 'prefix', 'prefixes'),
    ...counted(items.tags, 'tag'),
  ].join(', ');
  const took = durations.purgeMs === null ? '' : `, after ${formatDuration(durations.purgeMs)}`;
  const lines = [`  ${state}: ${counts} at ${target.domain}${took}`];
  if (verification !== null) {
    const rows = verification.checks.map(({ path, location, before, after, outcome }) => [
      ...[path, location ?? '–', before ?? '–', after ?? '–', outcome ?? '–'].map((cell) =>
        cell === 'hit' || cell === 'miss' ? cell.toUpperCase() : cell,
      ),
    ]);
    const columns = ['path', 'edge location', 'before', 'afterwards', 'proof'].map((title) => ({ title }));
    lines.push('', formatTable(columns, rows));
  }
  if (warmingId !== null) lines.push(`  and warm again: the warming ${warmingId}`);
  return lines.join('\n');
}

/** What a warming has come to. */
export const warmingText = ({ state, domain, progress }: Warming): string =>
  [
    `  ${state}: ${counted(progress.requests, 'request').join('') || 'nothing'} at ${domain}`,
    `${progress.cold} were cold, ${progress.warm} warm, ${progress.failed} failed; ${formatBytes(progress.bytes)}`,
  ].join('; ');

const counted = (count: number, one: string, many = `${one}s`): string[] =>
  count === 0 ? [] : [`${count.toLocaleString('en')} ${count === 1 ? one : many}`];
