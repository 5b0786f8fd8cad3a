import type { RestoreId } from '../ids.ts';
import { restoreIdSchema } from '../ids.ts';
import type { Failure } from '../model.ts';
import type { RecoveryTable } from './recovery-table.ts';
import { type NewRestore, type RestoreRecord, restoreRecordSchema } from './restore-record.ts';

const listPartition = 'RESTORES';
const discardPartition = 'RESTORE_DISCARDS';
const isActive = '#state IN (:queued, :running)';
const active = { ':queued': 'queued', ':running': 'running' };

/** The partition that holds everything about one restore. */
export const restorePartition = (id: RestoreId): string => `RESTORE#${id}`;
const metaKey = (id: RestoreId) => ({ pk: restorePartition(id), sk: 'META' });

/**
 * The restores there are, and the changes of state each may go through: queued → running → completed, failed or
 * canceled; failed → queued when it is resumed. Every change is one conditional write; it answers whether it took place.
 */
export class RestoreCatalog {
  readonly #table: RecoveryTable;

  constructor(table: RecoveryTable) {
    this.#table = table;
  }

  async get(id: RestoreId): Promise<RestoreRecord | undefined> {
    const item = await this.#table.get(metaKey(id));
    return item === undefined ? undefined : restoreRecordSchema.parse(item);
  }

  /** `false` when a restore of that id exists already. */
  async create(restore: NewRestore): Promise<boolean> {
    return this.#table.put(
      {
        ...metaKey(restore.id),
        ...Object.fromEntries(Object.entries(restore).filter(([, value]) => value !== undefined)),
        state: 'queued',
        attempts: 1,
        cancelRequested: false,
        gsi1pk: listPartition,
        gsi1sk: `${restore.createdAt}#${restore.id}`,
      },
      { expression: 'attribute_not_exists(pk)' },
    );
  }

  /** Remembers which execution works on it, so that it can be stopped. */
  async setExecution(id: RestoreId, executionArn: string): Promise<boolean> {
    return this.#table.set(metaKey(id), { executionArn }, { expression: 'attribute_exists(pk)' });
  }

  async start(
    id: RestoreId,
    values: Required<Pick<RestoreRecord, 'executionArn' | 'startedAt' | 'plan'>> &
      Pick<RestoreRecord, 'safetyBackupId'>,
  ): Promise<boolean> {
    return this.#table.set(
      metaKey(id),
      { ...values, state: 'running' },
      { expression: `${isActive} AND #cancelRequested = :no`, values: { ...active, ':no': false } },
    );
  }

  /** The same, of a restore to a point in time. */
  async startPointInTime(
    id: RestoreId,
    values: Required<Pick<RestoreRecord, 'executionArn' | 'startedAt' | 'shards'>>,
  ): Promise<boolean> {
    return this.#table.set(
      metaKey(id),
      { ...values, state: 'running' },
      { expression: `${isActive} AND #cancelRequested = :no`, values: { ...active, ':no': false } },
    );
  }

  /** Notes what was restored as objects. */
  async setObjects(id: RestoreId, objects: NonNullable<RestoreRecord['objects']>): Promise<void> {
    await this.#table.set(metaKey(id), { objects }, { expression: 'attribute_exists(pk)' });
  }

  /** `false` when the restore has ended, or swaps databases already. */
  async requestCancel(id: RestoreId): Promise<boolean> {
    return this.#table.set(
      metaKey(id),
      { cancelRequested: true },
      { expression: `${isActive} AND attribute_not_exists(#swappingAt)`, values: active },
    );
  }

  /** The point of no return; `false` when the restore was canceled or has ended. Asked again it is still so. */
  async beginSwap(id: RestoreId, at: string): Promise<boolean> {
    return this.#table.set(
      metaKey(id),
      { swappingAt: at },
      {
        expression: '#state = :running AND #cancelRequested = :no',
        values: { ':running': 'running', ':no': false },
      },
    );
  }

  async complete(id: RestoreId, values: { finishedAt: string; identical?: boolean }): Promise<boolean> {
    return this.#table.set(
      metaKey(id),
      { ...values, state: 'completed' },
      { expression: '#state = :running', values: { ':running': 'running' } },
    );
  }

  /** Of this attempt: one that has been resumed since is another. */
  async end(
    { id, attempts }: Pick<RestoreRecord, 'id' | 'attempts'>,
    state: 'failed' | 'canceled',
    values: { finishedAt: string; error?: Failure; resumableUntil?: string; identical?: boolean },
  ): Promise<boolean> {
    return this.#table.set(
      metaKey(id),
      { ...values, state },
      { expression: `${isActive} AND #attempts = :attempts`, values: { ...active, ':attempts': attempts } },
    );
  }

  /** Queues a failed restore anew; `false` when it is not one that can be resumed now. */
  async resume(record: RestoreRecord, now: string, traceparent: string): Promise<boolean> {
    return this.#table.set(
      metaKey(record.id),
      { state: 'queued', attempts: record.attempts + 1, queuedAt: now, traceparent },
      {
        expression:
          '#state = :failed AND #attempts = :attempts AND attribute_exists(#resumableUntil) AND #resumableUntil > :now',
        values: { ':failed': 'failed', ':attempts': record.attempts, ':now': now },
      },
    );
  }

  /** Gives a failed restore up that could be resumed; `false` when it is none. */
  async abandon(id: RestoreId): Promise<boolean> {
    return this.#table.set(
      metaKey(id),
      { state: 'canceled', cancelRequested: true },
      {
        expression: '#state = :failed AND attribute_exists(#resumableUntil)',
        values: { ':failed': 'failed' },
      },
    );
  }

  /** What a failed restore has restored is gone. */
  async endResumability(id: RestoreId): Promise<void> {
    await this.#table.set(
      metaKey(id),
      { resumableUntil: new Date(0).toISOString() },
      { expression: 'attribute_exists(#resumableUntil)' },
    );
  }

  /**
   * Newest first.
   * @param before the position that the page before ended at.
   */
  async list(
    limit: number,
    before?: string,
  ): Promise<{ restores: RestoreRecord[]; next: string | undefined }> {
    const items = await this.#table.newest(listPartition, limit + 1, before, () => true);
    const page = items.slice(0, limit);
    const last = page.at(-1)?.gsi1sk;
    return {
      restores: page.map((item) => restoreRecordSchema.parse(item)),
      next: items.length > limit && typeof last === 'string' ? last : undefined,
    };
  }

  /** Notes that a restore has databases to remove, from `at` on. Milliseconds since the epoch. */
  async discardNeeded(id: RestoreId, at: number): Promise<void> {
    await this.#table.put({ pk: discardPartition, sk: id, at });
  }

  async discardDone(id: RestoreId): Promise<void> {
    await this.#table.delete({ pk: discardPartition, sk: id });
  }

  /** Restores whose databases are to be removed now. */
  async *discardsDue(now: number): AsyncGenerator<RestoreId> {
    for await (const { sk, at } of this.#table.query({ pk: discardPartition })) {
      if (typeof at === 'number' && at <= now) yield restoreIdSchema.parse(sk);
    }
  }
}

/** How names of databases that belong to a restore end: the random part of its id, in lower case. */
export const shortOf = (id: RestoreId): string => id.slice(-8).toLowerCase();

/** Name of the new database of a shard, where none was asked for. At most 63 bytes, as PostgreSQL has it. */
export const restoredName = (original: string, id: RestoreId): string =>
  `${original.slice(0, 44)}_restored_${shortOf(id)}`;

/** What the platform's database is called after another one has taken its place. */
export const keptName = (original: string, id: RestoreId): string =>
  `${original.slice(0, 44)}_before_${shortOf(id)}`;

/** The backup of what a restore replaces. */
export const safetyBackupName = (id: RestoreId, attempt: number): string => `${id}-safety-${attempt}`;

/** Name of a restore's execution. */
export const executionName = (id: string, attempt: number): string =>
  attempt === 1 ? id : `${id}-${attempt}`;
