import type { RestoreRecord } from '../catalog/restore-record.ts';

/** Where no restore has been measured yet: well below what one shard did on two cores, 60 MB/s with its indexes. */
const defaultBytesPerMs = 40_000;
/** Databases are made, DDL is run and rows are compared, however little there is. */
const leastMs = 5_000;
/** A restore of less says nothing about the rate. */
const telling = 1024 * 1024;

/** How long a restore of so many bytes of COPY text will take, by the rate of the latest completed one, in milliseconds. */
export function estimateMs(bytes: number, earlier: readonly RestoreRecord[]): number {
  for (const { state, dryRun, mode, plan, startedAt, finishedAt } of earlier) {
    if (state !== 'completed' || dryRun || mode !== 'new' || plan === undefined || plan.bytes < telling)
      continue;
    const tookMs = Date.parse(finishedAt ?? '') - Date.parse(startedAt ?? '');
    if (tookMs > 0) return Math.round(Math.max(leastMs, (bytes * tookMs) / plan.bytes));
  }
  return Math.round(Math.max(leastMs, bytes / defaultBytesPerMs));
}
