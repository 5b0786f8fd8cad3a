import * as z from 'zod';
import { type BackupId, type ShardName, snapshotIdSchema } from '../ids.ts';
import { failureSchema } from '../model.ts';
import { backupPartition } from './backup-catalog.ts';
import type { RecoveryTable } from './recovery-table.ts';

/** A plain object that belongs to a backup, with what proves that it is the one that was written. */
export const workObjectSchema = z.object({
  key: z.string(),
  versionId: z.string().nullable(),
  sha256: z.string(),
});
export type WorkObject = z.output<typeof workObjectSchema>;

/** Where and when a shard's snapshot was taken; the same for all generations of it. */
export const snapshotOriginSchema = z.strictObject({
  instant: z.iso.datetime(),
  /** `pg_current_snapshot()`: which transactions are in it. */
  snapshot: z.string(),
  /** Position in the write-ahead log at or shortly after the instant; `null` where the server does not tell. */
  lsn: z.string().nullable(),
  systemIdentifier: z.string().nullable(),
  timeline: z.number().int().nullable(),
  /**
   * Whether all that the snapshot saw was known to be on disk soon after: only then no crash can give the number of a
   * transaction that it saw to another. Absent: not known.
   */
  durable: z.boolean().optional(),
});
export type SnapshotOrigin = z.output<typeof snapshotOriginSchema>;

const snapshotRecordSchema = z.object({
  state: z.enum(['acquiring', 'held', 'released', 'failed', 'lost']),
  /** Rises with every successor that exported the same snapshot again. */
  generation: z.number().int(),
  /** The invocation that holds this generation. */
  holder: z.string(),
  leaseUntil: z.number(),
  handoverWanted: z.boolean().default(false),
  snapshotId: snapshotIdSchema.optional(),
  host: z.string().optional(),
  port: z.number().int().optional(),
  origin: snapshotOriginSchema.optional(),
  /** What is known of the shard's tables at the instant. */
  description: workObjectSchema.optional(),
  error: failureSchema.optional(),
});
export type SnapshotRecord = z.output<typeof snapshotRecordSchema>;

/** A snapshot that can be imported now. */
export type HeldSnapshot = SnapshotRecord & {
  readonly [K in 'snapshotId' | 'host' | 'port' | 'origin' | 'description']: NonNullable<SnapshotRecord[K]>;
};

/** Whether the record tells all that importing takes. */
export function isHeld(record: SnapshotRecord | undefined): record is HeldSnapshot {
  return (
    record?.state === 'held' &&
    record.snapshotId !== undefined &&
    record.host !== undefined &&
    record.port !== undefined &&
    record.origin !== undefined &&
    record.description !== undefined
  );
}

/**
 * The record of one shard's snapshot, through which holders, their successors and the workers find each other. Whoever
 * became something hears so again: a write whose answer was lost is attempted anew by the client.
 */
export class SnapshotStore {
  readonly #table: RecoveryTable;
  readonly #key: { pk: string; sk: string };

  constructor(table: RecoveryTable, backupId: BackupId, shard: ShardName) {
    this.#table = table;
    this.#key = { pk: backupPartition(backupId), sk: `SNAPSHOT#${shard}` };
  }

  async get(): Promise<SnapshotRecord | undefined> {
    const item = await this.#table.get(this.#key);
    return item === undefined ? undefined : snapshotRecordSchema.parse(item);
  }

  /** Becomes the one who takes the snapshot; `false` when somebody else is. */
  async acquire(holder: string, leaseUntil: number): Promise<boolean> {
    return this.#table.put(
      { ...this.#key, state: 'acquiring', generation: 0, holder, leaseUntil, handoverWanted: false },
      {
        expression: 'attribute_not_exists(pk) OR (#holder = :holder AND #state = :acquiring)',
        values: { ':holder': holder, ':acquiring': 'acquiring' },
      },
    );
  }

  /**
   * Makes a generation of the snapshot known; each replaces the one right before it, once.
   * `false`: it was released, lost, or somebody else was faster.
   */
  async publish(
    holder: string,
    generation: number,
    snapshot: Pick<HeldSnapshot, 'snapshotId' | 'host' | 'port' | 'origin' | 'leaseUntil' | 'description'>,
  ): Promise<boolean> {
    return this.#table.set(
      this.#key,
      { ...snapshot, holder, generation, state: 'held', handoverWanted: false },
      {
        expression:
          '#state IN (:acquiring, :held) AND (#generation = :before OR (#generation = :own AND #holder = :holder))',
        values: {
          ':before': generation - 1,
          ':own': generation,
          ':holder': holder,
          ':acquiring': 'acquiring',
          ':held': 'held',
        },
      },
    );
  }

  /** Keeps the lease of the one who holds or takes the snapshot; `false` when it is theirs no more. */
  async renew(holder: string, leaseUntil: number, handoverWanted: boolean): Promise<boolean> {
    return this.#table.set(this.#key, { leaseUntil, handoverWanted }, ours(holder));
  }

  /** Says that the snapshot is no longer needed, whatever its state; also before anybody took it. */
  async release(): Promise<boolean> {
    const absent = { ...this.#key, state: 'released', generation: 0, holder: '', leaseUntil: 0 };
    if (await this.#table.put(absent, { expression: 'attribute_not_exists(pk)' })) return true;
    return this.#table.set(
      this.#key,
      { state: 'released' },
      {
        expression: '#state IN (:acquiring, :held)',
        values: { ':acquiring': 'acquiring', ':held': 'held' },
      },
    );
  }

  /** Says why there is no snapshot, or no longer. */
  async fail(
    holder: string,
    state: 'failed' | 'lost',
    error: z.output<typeof failureSchema>,
  ): Promise<boolean> {
    return this.#table.set(this.#key, { state, error }, ours(holder));
  }
}

const ours = (holder: string) => ({
  expression: '#holder = :holder AND #state IN (:acquiring, :held)',
  values: { ':holder': holder, ':acquiring': 'acquiring', ':held': 'held' },
});
