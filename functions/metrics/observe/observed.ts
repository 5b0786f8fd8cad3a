import { createHash } from 'node:crypto';
import { type InvocationLine, readInvocationLine } from '../../shared/invocation-line.ts';
import { latestMs } from '../tally/counters.ts';
import { hourOf } from '../tally/hours.ts';
import { Tally } from '../tally/tally.ts';
import type { Batch } from '../tally/tally-store.ts';
import type { LogBatch } from './log-batch.ts';
import { seenOf } from './seen-of.ts';

export interface HourlyBatch extends Batch {
  readonly hour: string;
}

export interface Observed {
  /** The invocations that the lines tell of. */
  readonly lines: readonly InvocationLine[];
  /** What they are counted as: a batch for each hour in which some of them ended. */
  readonly batches: readonly HourlyBatch[];
  /** Invocations that came later than anybody would deliver them, and are left out. */
  readonly late: number;
}

/** What the lines of a delivery tell of. A batch has its id from its lines, so that the same delivery is the same batch. */
export function observe({ logGroup, logEvents }: LogBatch, now: number): Observed {
  const byHour = new Map<string, { tally: Tally; ids: string[] }>();
  const lines: InvocationLine[] = [];
  let late = 0;
  for (const { id, message } of logEvents) {
    const line = readInvocationLine(message.trimEnd());
    if (line === undefined) continue;
    const seen = seenOf(line);
    if (seen.at < now - latestMs || seen.at > now + clockSkewMs) {
      late += 1;
      continue;
    }
    lines.push(line);
    const hour = hourOf(seen.at);
    const batch = byHour.get(hour) ?? { tally: new Tally(), ids: [] };
    batch.tally.add(seen);
    batch.ids.push(id);
    byHour.set(hour, batch);
  }
  const batches = [...byHour].map(([hour, { tally, ids }]) => ({ hour, id: idOf(logGroup, ids), tally }));
  return { lines, batches, late };
}

const clockSkewMs = 60_000;

const idOf = (logGroup: string, ids: readonly string[]): string =>
  createHash('sha256')
    .update([logGroup, ...ids].join('\n'))
    .digest('hex')
    .slice(0, 32);
