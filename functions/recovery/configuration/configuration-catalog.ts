import * as z from 'zod';
import { backupPartition } from '../catalog/backup-catalog.ts';
import { keptFor, workingRecordDays } from '../catalog/kept-for.ts';
import type { RecoveryTable } from '../catalog/recovery-table.ts';
import type { BackupId } from '../ids.ts';
import { type StoredObject, storedObjectSchema } from '../workflow.ts';

export const configurationRecordSchema = z.object({
  at: z.string(),
  object: storedObjectSchema,
  /** Values that were left out. */
  redacted: z.number().int(),
  verifiedAt: z.string().optional(),
});
export type ConfigurationRecord = z.output<typeof configurationRecordSchema>;

const sort = 'CONFIGURATION#META';

/** The working record of one backup's configuration. */
export class ConfigurationCatalog {
  readonly #table: RecoveryTable;
  readonly #pk: string;
  readonly #now: () => number;

  constructor(table: RecoveryTable, backupId: BackupId, now: () => number = Date.now) {
    this.#table = table;
    this.#pk = backupPartition(backupId);
    this.#now = now;
  }

  async get(): Promise<ConfigurationRecord | undefined> {
    const item = await this.#table.get({ pk: this.#pk, sk: sort });
    return item === undefined ? undefined : configurationRecordSchema.parse(item);
  }

  /** Notes what was stored; `false` when an earlier attempt was read back already. */
  async put(record: ConfigurationRecord): Promise<boolean> {
    const expiresAt = keptFor(workingRecordDays, this.#now());
    return this.#table.put(
      { pk: this.#pk, sk: sort, ...record, sha256: record.object.sha256, expiresAt },
      { expression: 'attribute_not_exists(pk) OR attribute_not_exists(#verifiedAt)' },
    );
  }

  /** `false` when another one is noted by now. */
  async setVerified({ sha256 }: StoredObject, verifiedAt: string): Promise<boolean> {
    return this.#table.set(
      { pk: this.#pk, sk: sort },
      { verifiedAt },
      { expression: '#sha256 = :sha256', values: { ':sha256': sha256 } },
    );
  }
}
