import { backupPartition } from '../catalog/backup-catalog.ts';
import type { BackupRecord } from '../catalog/backup-record.ts';
import type { RecoveryTable } from '../catalog/recovery-table.ts';
import type { BackupId } from '../ids.ts';

const metaKey = (id: BackupId) => ({ pk: backupPartition(id), sk: 'META' });
const sweepKey = (id: BackupId) => ({ pk: 'SWEEPS', sk: id });

/** What is promised about how long a backup is kept. */
export type Promised = Required<Pick<BackupRecord, 'keptBy'>> &
  Partial<Pick<BackupRecord, 'keepUntil' | 'lockDays'>>;

/** What the catalogue knows of the keeping of backups. */
export class RetentionCatalog {
  readonly #table: RecoveryTable;

  constructor(table: RecoveryTable) {
    this.#table = table;
  }

  /** Notes a promise about a backup at work, once; `false` when there is one already, or it has ended. */
  async promise(id: BackupId, promised: Promised): Promise<boolean> {
    return this.#table.set(metaKey(id), promised, {
      expression: '#state = :running AND attribute_not_exists(#keptBy)',
      values: { ':running': 'running' },
    });
  }

  /** Notes that objects of a backup are locked until then, unless they are for longer. An RFC 3339 time in UTC. */
  async raiseLock(id: BackupId, lockedUntil: string): Promise<boolean> {
    return this.#table.set(
      metaKey(id),
      { lockedUntil },
      {
        expression: 'attribute_exists(pk) AND (attribute_not_exists(#lockedUntil) OR #lockedUntil < :until)',
        values: { ':until': lockedUntil },
      },
    );
  }

  /** Notes what an expired backup was swept for, so that it is not done again while nothing has changed. */
  async sweptFor(id: BackupId, dependents: string): Promise<void> {
    await this.#table.set(sweepKey(id), { sweptFor: dependents }, { expression: 'attribute_exists(pk)' });
  }

  async wasSweptFor(id: BackupId): Promise<string | undefined> {
    const item = await this.#table.get(sweepKey(id));
    return typeof item?.sweptFor === 'string' ? item.sweptFor : undefined;
  }
}
