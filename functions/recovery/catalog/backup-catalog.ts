import { DependencyError } from '../../shared/dependency.ts';
import { type BackupId, backupIdSchema, type OperationId } from '../ids.ts';
import type { BackupState, Failure } from '../model.ts';
import type { TenantSelection } from '../tenants/model.ts';
import {
  type BackupOutcome,
  type BackupRecord,
  backupRecordSchema,
  type NewBackup,
  notReencrypting,
} from './backup-record.ts';
import type { Item, RecoveryTable } from './recovery-table.ts';

const listPartition = 'BACKUPS';
const sweepPartition = 'SWEEPS';
const isActive = '#state IN (:queued, :running)';
const active = { ':queued': 'queued', ':running': 'running' };
/** None re-encrypts the backup: its objects stay the ones that its manifest names. */
const isSettled = '(attribute_not_exists(#reencrypting) OR #reencrypting = :none)';
const settled = { ':none': notReencrypting };

/** The partition that holds everything about one backup. */
export const backupPartition = (id: BackupId): string => `BACKUP#${id}`;
const metaKey = (id: BackupId) => ({ pk: backupPartition(id), sk: 'META' });

/** A backup's branches add to its references, each once: more than a few attempts are never taken. */
const referenceAttempts = 20;

/** A backup whose leftovers are to be removed. */
export interface NeededSweep {
  readonly id: BackupId;
  /** When no function can be left that stores anything of it; milliseconds since the epoch. */
  readonly until: number;
}

/**
 * The backups there are, and the changes of state each of them may go through:
 * queued → running → completed, failed or canceled → deleting → gone; a completed one may become expired in between.
 * Every change is one conditional write; it answers whether it took place.
 */
export class BackupCatalog {
  readonly #table: RecoveryTable;

  constructor(table: RecoveryTable) {
    this.#table = table;
  }

  async get(id: BackupId): Promise<BackupRecord | undefined> {
    const item = await this.#table.get(metaKey(id));
    return item === undefined ? undefined : backupRecordSchema.parse(item);
  }

  /** `false` when a backup of that id exists already. */
  async create(backup: NewBackup): Promise<boolean> {
    return this.#table.put(
      {
        ...metaKey(backup.id),
        ...backup,
        state: 'queued',
        cancelRequested: false,
        gsi1pk: listPartition,
        gsi1sk: `${backup.createdAt}#${backup.id}`,
      },
      { expression: 'attribute_not_exists(pk)' },
    );
  }

  async start(
    id: BackupId,
    values: Required<Pick<BackupRecord, 'executionArn' | 'shards' | 'startedAt'>>,
  ): Promise<boolean> {
    return this.#table.set(
      metaKey(id),
      { ...values, state: 'running' },
      { expression: `${isActive} AND #cancelRequested = :no`, values: { ...active, ':no': false } },
    );
  }

  /** Notes whose unchanged rows a backup at work refers to; `false` when it has ended or was canceled. */
  async setParents(id: BackupId, values: Required<Pick<BackupRecord, 'type' | 'parents'>>): Promise<boolean> {
    return this.#table.set(
      metaKey(id),
      { ...values },
      { expression: `${isActive} AND #cancelRequested = :no`, values: { ...active, ':no': false } },
    );
  }

  /** Notes what says which rows are the tenant's; `false` when the backup has ended. */
  async setSelection(id: BackupId, selection: TenantSelection): Promise<boolean> {
    return this.#table.set(metaKey(id), { selection }, { expression: isActive, values: active });
  }

  /** Remembers which execution works on the backup, so that it can be stopped. */
  async setExecution(id: BackupId, executionArn: string): Promise<boolean> {
    return this.#table.set(metaKey(id), { executionArn }, { expression: 'attribute_exists(pk)' });
  }

  /** `false` when the backup has ended or is being committed. */
  async requestCancel(id: BackupId): Promise<boolean> {
    return this.#table.set(
      metaKey(id),
      { cancelRequested: true },
      { expression: `${isActive} AND attribute_not_exists(#committingAt)`, values: active },
    );
  }

  /**
   * The point of no return; asked again it gives the first answer's time.
   * @returns the time, or nothing when the backup is not running any more or was canceled.
   */
  async beginCommit(id: BackupId, at: string): Promise<string | undefined> {
    await this.#table.set(
      metaKey(id),
      { committingAt: at },
      {
        expression: '#state = :running AND #cancelRequested = :no AND attribute_not_exists(#committingAt)',
        values: { ':running': 'running', ':no': false },
      },
    );
    const record = await this.get(id);
    return record?.state === 'running' || record?.state === 'completed' ? record.committingAt : undefined;
  }

  async complete(
    id: BackupId,
    outcome: BackupOutcome & Required<Pick<BackupRecord, 'manifest' | 'finishedAt' | 'skewMs'>>,
  ): Promise<boolean> {
    return this.#table.set(
      metaKey(id),
      { ...outcome, state: 'completed' },
      { expression: '#state = :running', values: { ':running': 'running' } },
    );
  }

  async end(
    id: BackupId,
    state: 'failed' | 'canceled',
    values: Partial<BackupOutcome> & { finishedAt: string; error?: Failure },
  ): Promise<boolean> {
    return this.#table.set(metaKey(id), { ...values, state }, { expression: isActive, values: active });
  }

  /** `false` when the backup is unknown, still at work, referred to by others, or being re-encrypted. */
  async beginDelete(id: BackupId): Promise<boolean> {
    return this.#table.set(
      metaKey(id),
      { state: 'deleting' },
      {
        expression: `attribute_exists(pk) AND NOT ${isActive} AND attribute_not_exists(#dependents) AND ${isSettled}`,
        values: { ...active, ...settled },
      },
    );
  }

  /** Ends what is kept of a completed backup; `false` when it is not completed, or being re-encrypted. */
  async expire(id: BackupId): Promise<boolean> {
    return this.#table.set(
      metaKey(id),
      { state: 'expired' },
      {
        expression: `#state = :completed AND ${isSettled}`,
        values: { ':completed': 'completed', ...settled },
      },
    );
  }

  /**
   * Reserves a completed backup for the operation that re-encrypts it: until `endReencryption` none may refer to it, delete
   * it, or have it expire. `false` when it is not completed, referred to by others, or reserved for another operation.
   */
  async beginReencryption(id: BackupId, operation: OperationId): Promise<boolean> {
    return this.#table.set(
      metaKey(id),
      { reencrypting: operation },
      {
        expression: `#state = :completed AND attribute_not_exists(#dependents) AND (${isSettled} OR #reencrypting = :operation)`,
        values: { ':completed': 'completed', ...settled, ':operation': operation },
      },
    );
  }

  /**
   * The step by which a backup comes to consist of re-encrypted objects; `false` when it is not reserved for the operation, or
   * its manifest is not `from` (a SHA-256) any more.
   */
  async replaceManifest(
    id: BackupId,
    { operation, from }: { operation: OperationId; from: string },
    values: Required<Pick<BackupRecord, 'manifest' | 'sizeBytes'>>,
  ): Promise<boolean> {
    return this.#table.set(
      metaKey(id),
      { ...values, reencryptedBy: operation },
      {
        expression: '#state = :completed AND #reencrypting = :operation AND #manifest.#sha256 = :from',
        values: { ':completed': 'completed', ':operation': operation, ':from': from },
      },
    );
  }

  /** `false` when the backup is not reserved for the operation. */
  async endReencryption(id: BackupId, operation: OperationId): Promise<boolean> {
    return this.#table.set(
      metaKey(id),
      { reencrypting: notReencrypting },
      { expression: '#reencrypting = :operation', values: { ':operation': operation } },
    );
  }

  /**
   * Notes that `dependent` refers to objects of a backup; from then on they stay. Doing it again changes nothing.
   * `false` when the backup is not completed (any more) or is being re-encrypted: nothing of it may be referred to.
   */
  async addDependent(id: BackupId, dependent: BackupId): Promise<boolean> {
    return this.#table.addToSet(metaKey(id), 'dependents', dependent, {
      expression: `(#state = :completed AND ${isSettled}) OR (#state = :expired AND contains(#dependents, :dependent))`,
      values: { ':completed': 'completed', ':expired': 'expired', ':dependent': dependent, ...settled },
    });
  }

  /** Notes whose unchanged files a backup at work refers to: that makes it incremental. */
  async setFilesParent(id: BackupId, filesParent: BackupId): Promise<boolean> {
    return this.#table.set(
      metaKey(id),
      { filesParent, type: 'incremental' },
      { expression: isActive, values: active },
    );
  }

  /** Adds to the backups that a backup refers to, whoever else adds to them; the same ones again change nothing. */
  async addReferences(id: BackupId, references: readonly BackupId[]): Promise<void> {
    for (let attempt = 0; attempt < referenceAttempts; attempt++) {
      const record = await this.get(id);
      if (record === undefined) return;
      const known = record.references;
      const all = [...new Set([...known, ...references])].sort();
      if (all.length === known.length) return;
      // They only ever become more: as many as before are the same ones.
      const unchanged =
        known.length === 0
          ? {
              expression: 'attribute_not_exists(#references) OR size(#references) = :known',
              values: { ':known': 0 },
            }
          : { expression: 'size(#references) = :known', values: { ':known': known.length } };
      if (await this.#table.set(metaKey(id), { references: all }, unchanged)) return;
    }
    throw new DependencyError(
      `DynamoDB did not take the references of ${id}: others change them all the time.`,
    );
  }

  /** Notes that `dependent` refers to nothing of a backup any more. */
  async removeDependent(id: BackupId, dependent: BackupId): Promise<void> {
    await this.#table.removeFromSet(metaKey(id), 'dependents', dependent, {
      expression: 'attribute_exists(pk)',
    });
  }

  async remove(id: BackupId): Promise<boolean> {
    return this.#table.delete(metaKey(id), {
      expression: '#state = :deleting',
      values: { ':deleting': 'deleting' },
    });
  }

  async setVerification(id: BackupId, verification: BackupRecord['verification']): Promise<boolean> {
    return this.#table.set(metaKey(id), { verification }, { expression: 'attribute_exists(pk)' });
  }

  /**
   * Newest first.
   * @param before the position that the page before ended at.
   * @param tenant the id of the tenant that they are of; default: whatever they are of.
   * @returns one page, and the position to go on from while there may be more.
   */
  async list(
    limit: number,
    before?: string,
    state?: BackupState,
    tenant?: string,
  ): Promise<{ backups: BackupRecord[]; next: string | undefined }> {
    const accepted = (item: Item) =>
      (state === undefined || item.state === state) && (tenant === undefined || tenantOf(item) === tenant);
    const items = await this.#table.newest(listPartition, limit + 1, before, accepted);
    const page = items.slice(0, limit);
    const last = page.at(-1)?.gsi1sk;
    return {
      backups: page.map((item) => backupRecordSchema.parse(item)),
      next: items.length > limit && typeof last === 'string' ? last : undefined,
    };
  }

  /** Notes that a backup has leftovers to remove; stays until `sweepDone`. */
  async sweepNeeded(id: BackupId, until: number): Promise<void> {
    await this.#table.put({ pk: sweepPartition, sk: id, until });
  }

  async sweepOf(id: BackupId): Promise<NeededSweep | undefined> {
    const item = await this.#table.get({ pk: sweepPartition, sk: id });
    return item === undefined ? undefined : toSweep(item);
  }

  /** @param known the note that was acted upon: one that was made since stays. Default: whatever there is. */
  async sweepDone(id: BackupId, known?: NeededSweep): Promise<void> {
    const condition = known && {
      expression: 'attribute_not_exists(#until) OR #until = :until',
      values: { ':until': known.until },
    };
    await this.#table.delete({ pk: sweepPartition, sk: id }, condition);
  }

  async *sweepsNeeded(): AsyncGenerator<NeededSweep> {
    for await (const item of this.#table.query({ pk: sweepPartition })) yield toSweep(item);
  }
}

function tenantOf({ tenant }: Item): unknown {
  return typeof tenant === 'object' && tenant !== null && 'id' in tenant ? tenant.id : undefined;
}

const toSweep = (item: Item): NeededSweep => ({
  id: backupIdSchema.parse(item.sk),
  until: typeof item.until === 'number' ? item.until : 0,
});
