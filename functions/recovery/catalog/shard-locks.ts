import * as z from 'zod';
import { BackupConflictError } from '../errors.ts';
import { type BackupId, backupIdSchema, type ShardName } from '../ids.ts';
import type { BackupCatalog } from './backup-catalog.ts';
import type { RecoveryTable } from './recovery-table.ts';

const lockSchema = z.object({ backupId: backupIdSchema, takenAt: z.number() });
const lockKey = (shard: ShardName) => ({ pk: 'RUNNING', sk: `SHARD#${shard}` });

/** How long a backup may be on its way from lock to record, and from record to execution. */
const startMs = 5 * 60_000;

/**
 * One backup of a shard at a time. A lock names its backup and holds while that backup is at work; one
 * whose backup has ended, or never came to start, is taken over.
 */
export class ShardLocks {
  readonly #table: RecoveryTable;
  readonly #catalog: BackupCatalog;
  readonly #now: () => number;

  constructor(table: RecoveryTable, catalog: BackupCatalog, now: () => number = Date.now) {
    this.#table = table;
    this.#catalog = catalog;
    this.#now = now;
  }

  /**
   * Takes the locks of all `shards`, or none. Taking one's own locks again is fine.
   * @throws BackupConflictError naming the backup that runs.
   */
  async acquire(backupId: BackupId, shards: readonly ShardName[]): Promise<void> {
    const taken: ShardName[] = [];
    for (const shard of [...shards].sort()) {
      const holder = await this.#take(backupId, shard);
      if (holder !== undefined) {
        await this.release(backupId, taken);
        throw new BackupConflictError(shard, holder);
      }
      taken.push(shard);
    }
  }

  async release(backupId: BackupId, shards: readonly ShardName[]): Promise<void> {
    for (const shard of shards) {
      await this.#table.delete(lockKey(shard), {
        expression: '#backupId = :id',
        values: { ':id': backupId },
      });
    }
  }

  /** @returns the backup that has the lock, when it is not `backupId`. */
  async #take(backupId: BackupId, shard: ShardName): Promise<string | undefined> {
    for (;;) {
      const item = { ...lockKey(shard), backupId, takenAt: this.#now() };
      const free = { expression: 'attribute_not_exists(pk) OR #backupId = :id', values: { ':id': backupId } };
      if (await this.#table.put(item, free)) return undefined;
      const held = await this.#table.get(lockKey(shard));
      if (held === undefined) continue;
      const lock = lockSchema.parse(held);
      if (await this.#isAtWork(lock)) return lock.backupId;
      const dead = { expression: '#backupId = :holder', values: { ':holder': lock.backupId } };
      if (await this.#table.put(item, dead)) return undefined;
    }
  }

  async #isAtWork({ backupId, takenAt }: z.output<typeof lockSchema>): Promise<boolean> {
    const starting = this.#now() - takenAt < startMs;
    const record = await this.#catalog.get(backupId);
    if (record === undefined) return starting;
    if (record.state === 'running') return true;
    return record.state === 'queued' && (record.executionArn !== undefined || starting);
  }
}
