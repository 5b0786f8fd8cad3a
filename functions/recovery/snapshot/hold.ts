import type { Client } from 'pg';
import { type HeldSnapshot, isHeld, type SnapshotStore, type WorkObject } from '../catalog/snapshot-store.ts';
import type { Clock } from '../clock.ts';
import { failureOf, SnapshotLostError } from '../errors.ts';
import { Lease, type LeaseTimes, leaseTimes } from './lease.ts';
import { prepareSession } from './session.ts';
import { type TakenSnapshot, takeOverSnapshot, takeSnapshot } from './take.ts';

export interface HoldDependencies {
  readonly store: SnapshotStore;
  /** Connects to the instance that the backup reads. */
  readonly connect: () => Promise<Client>;
  readonly address: { readonly host: string; readonly port: number };
  /** The schema that the backup is of; absent: all. */
  readonly schema?: string | undefined;
  /** Whether the backup is still running and not canceled. */
  readonly isNeeded: () => Promise<boolean>;
  /** Leaves a description of the shard as of the snapshot in the store; called under the locks, before anybody imports it. */
  readonly describe: (client: Client) => Promise<WorkObject>;
  /** Hears why the snapshot could not be taken over yet; it is tried again. */
  readonly onTrouble: (error: unknown) => void;
  /** Called over and over while holding: what only the holder's locks allow. */
  readonly assist: (client: Client, origin: TakenSnapshot['origin']) => Promise<void>;
  readonly clock: Clock;
  /** Names this invocation. */
  readonly holder: string;
  /** Milliseconds until this invocation ends. */
  readonly remainingMs: () => number;
  /** How long to hold before asking to be relieved. */
  readonly termMs: number;
  readonly times?: LeaseTimes;
  /** How often to look at the record while standing by or holding. Default 1 000. */
  readonly pollMs?: number;
}

export interface HoldResult {
  readonly outcome: 'again' | 'released';
  readonly generation: number;
}

/** How long to wait for a session that has a table locked exclusively. */
const lockWaitMs = 120_000;
/** A successor does not wait: it tries again, while its predecessor holds on. */
const takeOverWaitMs = 500;
/** Kept back at the end of an invocation to leave things in order. */
const endMs = 15_000;
/** How long an answer of the database may take before the snapshot counts as lost. */
const pingMs = 20_000;

/**
 * One turn of a lane. Two lanes work on a shard's snapshot: the first to come takes it and holds it, the other stands
 * by; when the holder's term ends, the one standing by imports the snapshot, locks, exports it again, and
 * relieves it. So the snapshot outlives every invocation.
 *
 * @returns `again` when the lane is needed again: it was relieved, or has stood by for a third of its time.
 * @throws PreflightError, NotReadyError, SnapshotLostError: there is no snapshot (any more), and the record says so.
 */
export async function holdSnapshot(deps: HoldDependencies): Promise<HoldResult> {
  const { store, clock, holder } = deps;
  if (!(await deps.isNeeded())) return { outcome: 'released', generation: 0 };
  const { leaseMs } = deps.times ?? leaseTimes;
  if ((await store.get()) === undefined && (await store.acquire(holder, clock.now() + leaseMs))) {
    return holdFirst(deps);
  }
  return standBy(deps);
}

async function holdFirst(deps: HoldDependencies): Promise<HoldResult> {
  const lease = new Lease(deps.store, deps.holder, deps.clock, deps.isNeeded, deps.times);
  let client: Client | undefined;
  let held = false;
  try {
    client = await deps.connect();
    await prepareSession(client);
    const taking = takeSnapshot(client, lockWaitMs, undefined, deps.schema);
    const taken = await Promise.race([taking, lease.ended]);
    if (typeof taken === 'string') return { outcome: 'released', generation: 0 };
    held = await publish(deps, 1, taken, await deps.describe(client));
    return held ? await keep(deps, lease, client, taken, 1) : { outcome: 'released', generation: 0 };
  } catch (error) {
    await deps.store.fail(deps.holder, held ? 'lost' : 'failed', failureOf(error)).catch(() => undefined);
    throw error;
  } finally {
    lease.stop();
    await client?.end().catch(() => undefined);
  }
}

async function standBy(deps: HoldDependencies): Promise<HoldResult> {
  const { store, clock, pollMs = 1_000 } = deps;
  const until = clock.now() + deps.remainingMs() / 3;
  for (;;) {
    const record = await store.get();
    const generation = record?.generation ?? 0;
    // Whoever failed says so itself: a second error would hide the first.
    if (record === undefined || (record.state !== 'held' && record.state !== 'acquiring')) {
      return { outcome: 'released', generation };
    }
    if (record.leaseUntil < clock.now()) {
      throw new SnapshotLostError('Whoever held the snapshot has not been heard of since its lease ended.');
    }
    if (isHeld(record) && record.handoverWanted) {
      const result = await takeOver(deps, record);
      if (result !== undefined) return result;
    }
    if (clock.now() >= until) return { outcome: 'again', generation };
    await clock.sleep(pollMs);
  }
}

/** @returns nothing when the snapshot could not be taken over now; the predecessor still holds it. */
async function takeOver(deps: HoldDependencies, record: HeldSnapshot): Promise<HoldResult | undefined> {
  const generation = record.generation + 1;
  const imported = await importSnapshot(deps, record);
  if (imported === undefined) return undefined;
  const { client, taken } = imported;
  let lease: Lease | undefined;
  try {
    if (!(await publish(deps, generation, taken, record.description))) return undefined;
    lease = new Lease(deps.store, deps.holder, deps.clock, deps.isNeeded, deps.times);
    return await keep(deps, lease, client, taken, generation);
  } catch (error) {
    await deps.store.fail(deps.holder, 'lost', failureOf(error)).catch(() => undefined);
    throw error;
  } finally {
    lease?.stop();
    await client.end().catch(() => undefined);
  }
}

/** Whatever fails here costs nothing: should it never succeed, the predecessor says so when its time ends. */
async function importSnapshot(
  deps: HoldDependencies,
  { snapshotId, origin }: HeldSnapshot,
): Promise<{ client: Client; taken: TakenSnapshot } | undefined> {
  let client: Client | undefined;
  try {
    client = await deps.connect();
    await prepareSession(client);
    return { client, taken: await takeOverSnapshot(client, snapshotId, origin, takeOverWaitMs, deps.schema) };
  } catch (error) {
    deps.onTrouble(error);
    await client?.end().catch(() => undefined);
    return undefined;
  }
}

async function publish(
  deps: HoldDependencies,
  generation: number,
  taken: TakenSnapshot,
  description: WorkObject,
): Promise<boolean> {
  const { leaseMs } = deps.times ?? leaseTimes;
  return deps.store.publish(deps.holder, generation, {
    snapshotId: taken.snapshotId,
    origin: taken.origin,
    description,
    leaseUntil: deps.clock.now() + leaseMs,
    ...deps.address,
  });
}

/**
 * When a holder asks to be relieved, and when it has to let go, in milliseconds from now. In between a successor has to
 * notice, connect and lock, if need be several times: however late in its own invocation the holder came to hold, a
 * quarter of what is left of it is for that.
 */
export function turnOf(
  remainingMs: number,
  termMs: number,
): { readonly askAfterMs: number; readonly endAfterMs: number } {
  const endAfterMs = remainingMs - endMs;
  return { askAfterMs: Math.min(termMs, endAfterMs - Math.max(endMs, remainingMs / 4)), endAfterMs };
}

/** Holds until the snapshot is released or a successor has it. */
async function keep(
  deps: HoldDependencies,
  lease: Lease,
  client: Client,
  taken: TakenSnapshot,
  generation: number,
): Promise<HoldResult> {
  const { clock, pollMs = 1_000 } = deps;
  const turn = turnOf(deps.remainingMs(), deps.termMs);
  const end = clock.now() + turn.endAfterMs;
  const termEnd = clock.now() + turn.askAfterMs;
  for (;;) {
    const ended = await Promise.race([lease.ended, clock.sleep(pollMs)]);
    if (ended !== undefined) return { outcome: ended === 'relieved' ? 'again' : 'released', generation };
    await ping(client, clock);
    lease.handoverWanted = clock.now() >= termEnd;
    if (clock.now() >= end) {
      throw new SnapshotLostError('The snapshot could not be handed over before its holder’s time ended.');
    }
    await deps.assist(client, taken.origin);
  }
}

/** The transaction lives as long as its connection does. */
async function ping(client: Client, clock: Clock): Promise<void> {
  const answer = client.query('SELECT 1').then(
    () => 'alive' as const,
    (error: unknown) => error,
  );
  const answered = new AbortController();
  const outcome = await Promise.race([answer, clock.sleep(pingMs, answered.signal)]);
  answered.abort();
  if (outcome === 'alive') return;
  throw new SnapshotLostError('The connection that held the snapshot broke.', { cause: outcome });
}
