import { ContendedRecordError } from './errors.ts';
import { pause, resume } from './pause.ts';
import { type FailoverRecord, newRecord } from './record.ts';
import type { FailoverStore } from './store.ts';

const maximumRounds = 5;

/**
 * Pauses or resumes automatic failover of one shard. Doing it again changes nothing.
 *
 * @throws DependencyError, ContendedRecordError
 */
export async function control(
  store: Pick<FailoverStore, 'record' | 'save'>,
  shard: string,
  command: 'pause' | 'resume',
  { by, reason }: { readonly by: string; readonly reason: string },
  moment: { readonly now: number; readonly traceparent: string },
): Promise<FailoverRecord> {
  for (let round = 0; round < maximumRounds; round++) {
    const before = (await store.record(shard)) ?? newRecord(shard, new Date(moment.now).toISOString());
    const next = (command === 'pause' ? pause : resume)(before, by, reason, moment);
    if (next === before) return before;
    const saved = await store.save(next);
    if (saved !== undefined) return saved;
  }
  throw new ContendedRecordError(`The record of ${shard} is changed by others all the time.`);
}
