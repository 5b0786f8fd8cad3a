import { randomUUID } from 'node:crypto';
import { dynamo, s3 } from '../shared/clients.ts';
import { eventFunction } from '../shared/event-function.ts';
import { BackupCatalog, backupPartition } from './catalog/backup-catalog.ts';
import { Failures } from './catalog/failures.ts';
import { RecoveryTable } from './catalog/recovery-table.ts';
import { systemClock } from './clock.ts';
import { requireAtWork, storePlace } from './compose.ts';
import { recoveryContract } from './contract.ts';
import { copyFiles } from './files/copy-files.ts';
import { FilesCatalog } from './files/files-catalog.ts';
import { Bucket } from './objects/bucket.ts';

/** Copies one work item of files to the store. */
export const handler = eventFunction({
  contract: recoveryContract.functions['copy-files'],
  handler: (environment) => {
    const table = new RecoveryTable(dynamo(), environment.RECOVERY_TABLE);
    const catalog = new BackupCatalog(table);
    const bucket = new Bucket(s3(), environment.BACKUPS_BUCKET);
    const source = { s3: s3(), bucket: environment.ASSETS_BUCKET };
    const place = storePlace(environment);
    return async ({ backupId, work }, { log, trace: { traceparent } }) => {
      const files = new FilesCatalog(table, backupId);
      const failures = new Failures(table, backupPartition(backupId));
      const record = await failures.watch(`files#${work.item}`, async () => {
        await requireAtWork(catalog, backupId);
        const attempt = randomUUID().slice(0, 8);
        return copyFiles({ source, place, bucket, files, clock: systemClock, attempt }, backupId, work);
      });
      const { item, objects, bytesRead, bytesStored, stages } = record;
      log.info('Files stored', { backupId, item, files: record.files, bytesRead, bytesStored, stages });
      return { purpose: 'component', backupId, traceparent, part: 'files', work: { item, objects } };
    };
  },
});
