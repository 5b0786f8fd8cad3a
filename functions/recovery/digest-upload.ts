import { dynamo, s3 } from '../shared/clients.ts';
import { eventFunction } from '../shared/event-function.ts';
import { BackupCatalog } from './catalog/backup-catalog.ts';
import { RecoveryTable } from './catalog/recovery-table.ts';
import { recoveryContract } from './contract.ts';
import { digestUpload } from './import/digest-upload.ts';
import { ImportCatalog } from './import/import-catalog.ts';
import { Bucket } from './objects/bucket.ts';

/** The SHA-256 of a whole dump, as far as one invocation comes. */
export const handler = eventFunction({
  contract: recoveryContract.functions['digest-upload'],
  handler: (environment) => {
    const table = new RecoveryTable(dynamo(), environment.RECOVERY_TABLE);
    const catalog = new BackupCatalog(table);
    const bucket = new Bucket(s3(), environment.BACKUPS_BUCKET);
    return (event, { remainingMs }) => {
      const imports = new ImportCatalog(table, event.backupId);
      return digestUpload({ catalog, imports, bucket, remainingMs }, event);
    };
  },
});
