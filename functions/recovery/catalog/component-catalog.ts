import { ConfigurationCatalog } from '../configuration/configuration-catalog.ts';
import { FilesCatalog } from '../files/files-catalog.ts';
import type { BackupId } from '../ids.ts';
import type { StoredObject } from '../workflow.ts';
import type { RecoveryTable } from './recovery-table.ts';

/** Working records of what a backup has beside databases. */
export class ComponentCatalog {
  readonly files: FilesCatalog;
  readonly configuration: ConfigurationCatalog;

  constructor(table: RecoveryTable, backupId: BackupId) {
    this.files = new FilesCatalog(table, backupId);
    this.configuration = new ConfigurationCatalog(table, backupId);
  }

  /** Notes that objects were read back; `false` when the record is about other objects by now. */
  async setVerified(
    part: 'files' | 'files-index' | 'configuration',
    { item, objects }: { item: number; objects: readonly StoredObject[] },
    verifiedAt: string,
  ): Promise<boolean> {
    if (part === 'files') return this.files.setVerified(item, objects, verifiedAt);
    const [object] = objects;
    if (object === undefined) return false;
    return part === 'files-index'
      ? this.files.setIndexVerified(object, verifiedAt)
      : this.configuration.setVerified(object, verifiedAt);
  }
}
