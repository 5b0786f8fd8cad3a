import type { Client } from 'pg';
import {
  type HeldSnapshot,
  isHeld,
  type SnapshotRecord,
  type SnapshotStore,
} from '../catalog/snapshot-store.ts';
import type { Clock } from '../clock.ts';
import { BackupNotRunningError, failureFrom, NotReadyError, SnapshotLostError } from '../errors.ts';
import { beginImporting, prepareSession } from './session.ts';
import { sqlState } from './sql.ts';

export interface OpenDependencies {
  readonly store: SnapshotStore;
  /** Connects to one instance, as the role that reads backups. */
  readonly connect: (address: { host: string; port: number }) => Promise<Client>;
  readonly clock: Clock;
}

/** A connection inside a transaction that sees the shard's instant. The caller ends it. */
export interface OpenSnapshot {
  readonly client: Client;
  readonly held: HeldSnapshot;
}

const pollMs = 500;

/** What importing answers when the exporting transaction has just ended: a successor may have exported it anew. */
const exporterGone: ReadonlySet<string | undefined> = new Set(['42704', '22023', '55000', '58P01']);

/**
 * Waits until the shard's snapshot is held.
 * @throws what the holder failed with, SnapshotLostError, BackupNotRunningError, NotReadyError after `waitMs`.
 */
export async function awaitSnapshot(
  { store, clock }: Pick<OpenDependencies, 'store' | 'clock'>,
  waitMs: number,
): Promise<HeldSnapshot> {
  const until = clock.now() + waitMs;
  for (;;) {
    const record = await store.get();
    if (isHeld(record) && record.leaseUntil > clock.now()) return record;
    if (record !== undefined) refuseEnded(record, clock.now());
    if (clock.now() >= until) {
      throw new NotReadyError(`No snapshot was there after ${Math.round(waitMs / 1000)} s.`);
    }
    await clock.sleep(pollMs);
  }
}

/** Connects to where the snapshot is held, and imports it; follows it to a successor. */
export async function openSnapshot(deps: OpenDependencies, waitMs: number): Promise<OpenSnapshot> {
  const until = deps.clock.now() + waitMs;
  for (;;) {
    const held = await awaitSnapshot(deps, Math.max(0, until - deps.clock.now()));
    const client = await deps.connect({ host: held.host, port: held.port });
    try {
      await prepareSession(client);
      await beginImporting(client, held.snapshotId);
      return { client, held };
    } catch (error) {
      await client.end().catch(() => undefined);
      if (!exporterGone.has(sqlState(error))) throw error;
      if (deps.clock.now() >= until) {
        throw new SnapshotLostError(`The snapshot ${held.snapshotId} cannot be imported any more.`, {
          cause: error,
        });
      }
    }
    await deps.clock.sleep(pollMs);
  }
}

/** @throws when nothing will come of waiting. */
function refuseEnded(record: SnapshotRecord, now: number): void {
  if (record.state === 'released') throw new BackupNotRunningError('The snapshot was released.');
  if (record.error !== undefined) throw failureFrom(record.error);
  if (record.leaseUntil < now) {
    throw new SnapshotLostError('Whoever held the snapshot has not been heard of since its lease ended.');
  }
}
