import type { RecoveryTable } from '../catalog/recovery-table.ts';
import { type BackupId, backupIdSchema } from '../ids.ts';

const partition = 'ADOPTIONS';

/** Which backup of this deployment each backup of the vault becomes, or has become. */
export class Adoptions {
  readonly #table: RecoveryTable;

  constructor(table: RecoveryTable) {
    this.#table = table;
  }

  async of(source: BackupId): Promise<BackupId | undefined> {
    const item = await this.#table.get({ pk: partition, sk: source });
    return item === undefined ? undefined : backupIdSchema.parse(item.backupId);
  }

  /**
   * Has `source` become `backupId`. Doing it again changes nothing.
   * @param instead one that came to nothing, whose place it takes.
   * @returns `false` when it becomes another one.
   */
  async claim(source: BackupId, backupId: BackupId, instead: BackupId | undefined): Promise<boolean> {
    return this.#table.put(
      { pk: partition, sk: source, backupId },
      {
        expression: 'attribute_not_exists(pk) OR #backupId IN (:own, :instead)',
        values: { ':own': backupId, ':instead': instead ?? backupId },
      },
    );
  }
}
