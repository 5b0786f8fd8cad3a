import type { WarmingId } from '../ids.ts';
import type { QueueStore } from '../queue/queue-store.ts';
import { hasEnded, type WarmingRecord } from './record.ts';
import type { WarmingStore } from './store.ts';
import { type Task, tasksOf } from './tasks.ts';
import { tellWarming, type WarmingTeller } from './tell.ts';
import { type SliceDependencies, warmSlice } from './warm-slice.ts';

export interface WarmingDependencies extends SliceDependencies {
  readonly store: WarmingStore;
  /** Before the one place there is: one warming is at work at a time. */
  readonly queue: Pick<QueueStore, 'ask' | 'leave'>;
  /** Whether there is time for another request, with all its attempts. */
  readonly hasTime: () => boolean;
}

/** What an invocation has come to. */
export interface Turn {
  readonly outcome: 'again' | 'ended';
  readonly waitSeconds: number;
  /** The warming, where this turn has ended it. */
  readonly ended?: WarmingRecord;
}

const waitSeconds = 3;
/** How long requests are made before they are written down, and before it is looked who else waits, in milliseconds. */
const sliceMs = 2_000;
/** What the results of a slice have room for, in characters: an item takes 400 KB. */
const sliceCharacters = 250_000;
/** A result without its path. */
const resultCharacters = 250;

const askingOf = ({ id, priority }: WarmingRecord) => ({
  id,
  priority: priority === 'high' ? 1 : 0,
  needs: { warmings: 1 },
});

/**
 * Goes on with a warming when it is its turn, until it is done, somebody more urgent waits, or the time is over. Requests of the last two
 * seconds are made again when they were not written down; making them twice does no harm.
 *
 * @throws DependencyError
 */
export async function runTurn(
  deps: WarmingDependencies,
  teller: WarmingTeller,
  id: WarmingId,
): Promise<Turn> {
  const known = await deps.store.get(id);
  if (known === undefined) return { outcome: 'ended', waitSeconds: 0 };
  const { record, wait } = hasEnded(known) ? { record: known, wait: 0 } : await work(deps, known);
  if (!hasEnded(record)) return { outcome: 'again', waitSeconds: wait };
  await deps.queue.leave([id]);
  await tellWarming(teller, record);
  return { outcome: 'ended', waitSeconds: 0, ...(!hasEnded(known) && { ended: record }) };
}

async function work(
  deps: WarmingDependencies,
  from: WarmingRecord,
): Promise<{ record: WarmingRecord; wait: number }> {
  const { store, queue } = deps;
  const { locations, domain, concurrency, requests } = from;
  const asking = askingOf(from);
  let record = from;
  let tasks: readonly Task[] | undefined;
  while (record.done < requests && record.cancelRequested !== true) {
    if (!deps.hasTime()) return { record, wait: 0 };
    // Asked while somebody more urgent waits, it gives its place to that.
    if (!(await queue.ask(asking, 'give-way'))) return { record, wait: waitSeconds };
    tasks ??= tasksOf(
      await store.wanted(record.id),
      locations.map(({ address }) => address),
    );
    const until = deps.now() + sliceMs;
    const goesOn = () => deps.hasTime() && deps.now() < until;
    const results = await warmSlice(deps, domain, sliceFrom(tasks, record.done), concurrency, goesOn);
    if (results.length === 0) continue;
    await store.setResults(record.id, record.done, results);
    const count = (of: (result: (typeof results)[number]) => boolean) => results.filter(of).length;
    const next: WarmingRecord = {
      ...record,
      state: 'running',
      startedAt: record.startedAt ?? new Date(deps.now()).toISOString(),
      done: record.done + results.length,
      cold: record.cold + count(({ before, error }) => before === 'cold' && error === null),
      warm: record.warm + count(({ before, error }) => before === 'warm' && error === null),
      failed: record.failed + count(({ error }) => error !== null),
      bytes: record.bytes + results.reduce((sum, { bytes }) => sum + bytes, 0),
    };
    // Where it was canceled meanwhile, these requests were made for nothing.
    record = (await store.save(next)) ?? (await store.get(record.id)) ?? record;
  }
  return { record: await conclude(deps, record), wait: 0 };
}

/** The requests from an index on whose results fit into one item. */
function sliceFrom(tasks: readonly Task[], from: number): readonly Task[] {
  let characters = 0;
  let index = from;
  for (; index < tasks.length && characters < sliceCharacters; index++) {
    characters += (tasks[index]?.path.length ?? 0) + resultCharacters;
  }
  return tasks.slice(from, index);
}

async function conclude(deps: Pick<WarmingDependencies, 'store' | 'now'>, record: WarmingRecord) {
  if (record.cancelRequested === true && record.done < record.requests) return end(deps, record, 'canceled');
  if (record.failed < Math.max(1, record.requests)) return end(deps, record, 'completed');
  const error = { code: 'nothing-warmed', message: 'No request was answered well: see the results.' };
  return end(deps, record, 'failed', error);
}

/** Ends a warming. @returns it; as it is, when somebody else has just changed it. @throws DependencyError */
export async function end(
  { store, now }: Pick<WarmingDependencies, 'store' | 'now'>,
  record: WarmingRecord,
  state: 'completed' | 'failed' | 'canceled',
  error?: { readonly code: string; readonly message: string },
): Promise<WarmingRecord> {
  const finishedAt = new Date(now()).toISOString();
  const ended = { ...record, state, finishedAt, untold: true, ...(error !== undefined && { error }) };
  return (await store.save(ended)) ?? record;
}

/** Ends a warming whose execution did not end by itself. @throws DependencyError */
export async function endInterrupted(
  deps: Pick<WarmingDependencies, 'store' | 'now' | 'queue'>,
  teller: WarmingTeller,
  id: WarmingId,
  status: string,
): Promise<WarmingRecord | undefined> {
  for (let round = 0; round < 5; round++) {
    const record = await deps.store.get(id);
    if (record === undefined || hasEnded(record)) return undefined;
    const error = { code: 'interrupted', message: `Its execution ended as ${status}.` };
    const ended = await end(deps, record, 'failed', error);
    if (!hasEnded(ended)) continue;
    await deps.queue.leave([id]);
    await tellWarming(teller, ended);
    return ended;
  }
  return undefined;
}
