import type { Assistance, AssistanceRequests } from '../catalog/assistance.ts';
import type { ChunkCatalog, ChunkRecord } from '../catalog/chunk-catalog.ts';
import { NotReadyError } from '../errors.ts';
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
      const copied = await copyChunk(deps, snapshot.client, { ...what, origin: snapshot.held.origin });
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
