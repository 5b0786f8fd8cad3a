import type { Assistance, AssistanceRequests } from '../catalog/assistance.ts';
import type { ChunkCatalog, ChunkRecord } from '../catalog/chunk-catalog.ts';
import { BackupNotRunningError, failureFrom, NotReadyError } from '../errors.ts';
import { isLockUnavailable, lockError, lockTables } from '../snapshot/locks.ts';
import { type OpenDependencies, type OpenSnapshot, openSnapshot } from '../snapshot/open.ts';
import { rollback } from '../snapshot/session.ts';
import type { ChunkWork } from '../workflow.ts';
import { type ChunkToCopy, type CopyDependencies, copyChunk, originName } from './copy-chunk.ts';

export interface ChunkDependencies extends OpenDependencies, CopyDependencies {
  readonly requests: AssistanceRequests;
  readonly chunks: ChunkCatalog;
  /** Milliseconds until this invocation ends. */
  readonly remainingMs: () => number;
}

/** How long a worker waits for a snapshot that is being handed over. */
const snapshotWaitMs = 60_000;
const pollMs = 500;
/** How often a worker that copies looks whether it is still needed. */
const watchMs = 2_000;
/** Kept back to say why it did not work. */
const endMs = 10_000;

/**
 * Copies one work item and notes it in the catalogue.
 *
 * The tables are locked first, at once or not at all: a session that waits for an exclusive lock (a TRUNCATE) would
 * keep this one waiting behind it. The holder of the snapshot has its locks already, so then it is asked
 * to copy the item on its own connection.
 *
 * @throws what copying throws; NotReadyError when neither came to it in time.
 */
export async function runChunk(
  deps: ChunkDependencies,
  what: Omit<ChunkToCopy, 'origin'>,
): Promise<ChunkRecord> {
  const snapshot = await openSnapshot(deps, snapshotWaitMs);
  try {
    if (await tryLock(snapshot, what.work)) {
      const { origin } = snapshot.held;
      const copied = await whileHeld(deps, snapshot, () =>
        copyChunk(deps, snapshot.client, { ...what, origin }),
      );
      await deps.chunks.putChunk(copied);
      return await storedChunk(deps, what);
    }
    await rollback(snapshot.client);
    return await viaHolder(deps, what, snapshot);
  } finally {
    await snapshot.client.end().catch(() => undefined);
  }
}

async function tryLock({ client }: OpenSnapshot, work: ChunkWork): Promise<boolean> {
  try {
    await lockTables(client, work.ranges, 0);
    return true;
  } catch (error) {
    if (isLockUnavailable(error)) return false;
    throw error;
  }
}

/**
 * Copies only for as long as the snapshot is needed: nothing stops an invocation from outside, and what it stores
 * after its backup has ended would have to be found and removed.
 *
 * @throws BackupNotRunningError, or what the holder failed with, once nothing is on its way to the store any more.
 */
async function whileHeld<T>(
  { store, clock }: ChunkDependencies,
  { client }: OpenSnapshot,
  copy: () => Promise<T>,
): Promise<T> {
  const copied = new AbortController();
  let ended: Error | undefined;
  const watch = async (): Promise<void> => {
    for (;;) {
      await clock.sleep(watchMs, copied.signal);
      if (copied.signal.aborted) return;
      // A store that does not answer says nothing about the backup.
      const record = await store.get().catch(() => undefined);
      if (record === undefined || record.state === 'held') continue;
      const { error } = record;
      ended =
        error === undefined
          ? new BackupNotRunningError('The backup ended while rows were being copied.')
          : failureFrom(error);
      client.connection.stream.destroy();
      return;
    }
  };
  const watching = watch();
  try {
    return await copy();
  } catch (error) {
    throw ended ?? error;
  } finally {
    copied.abort();
    await watching;
  }
}

/** What the catalogue says by now: an attempt that was read back already stands. */
async function storedChunk(
  { chunks }: ChunkDependencies,
  what: Omit<ChunkToCopy, 'origin'>,
): Promise<ChunkRecord> {
  const record = await chunks.getChunk(what.shard, what.work.item);
  if (record === undefined) throw new NotReadyError(`Item ${what.work.item} of ${what.shard} is not noted.`);
  return record;
}

async function viaHolder(
  deps: ChunkDependencies,
  what: Omit<ChunkToCopy, 'origin'>,
  { client, held }: OpenSnapshot,
): Promise<ChunkRecord> {
  const { chunks, clock, store, requests } = deps;
  const { shard, work } = what;
  const until = clock.now() + deps.remainingMs() - endMs;
  const assistance: Assistance = { kind: 'chunk', work };
  await requests.ask(assistance);
  try {
    for (;;) {
      const record = await chunks.getChunk(shard, work.item);
      if (record?.origin === originName(held.origin)) return record;
      const snapshot = await store.get();
      if (snapshot?.state !== 'held' || clock.now() >= until) throw await lockError(client, work.ranges);
      await clock.sleep(pollMs);
    }
  } finally {
    await requests.done(assistance);
  }
}
