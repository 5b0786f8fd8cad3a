import { dynamo, s3 } from '../shared/clients.ts';
import { eventFunction } from '../shared/event-function.ts';
import { inputTraceparent } from '../shared/execution-trace.ts';
import { BackupCatalog } from './catalog/backup-catalog.ts';
import { RecoveryTable } from './catalog/recovery-table.ts';
import { recoveryContract } from './contract.ts';
import { ImportCatalog } from './import/import-catalog.ts';
import { planImport } from './import/plan-import.ts';
import { Bucket } from './objects/bucket.ts';

/** First state of the import workflow: what was uploaded, and how it is divided. */
export const handler = eventFunction({
  contract: recoveryContract.functions['plan-import'],
  traceparentOf: inputTraceparent,
  handler: (environment) => {
    const table = new RecoveryTable(dynamo(), environment.RECOVERY_TABLE);
    const catalog = new BackupCatalog(table);
    const bucket = new Bucket(s3(), environment.BACKUPS_BUCKET);
    return async (event, { log, trace }) => {
      const imports = new ImportCatalog(table, event.backupId);
      const planned = await planImport({ catalog, imports, bucket }, event);
      log.info('Import planned', { backupId: event.backupId, sizeBytes: planned.upload.bytes });
      return { ...planned, traceparent: trace.traceparent };
    };
  },
});
