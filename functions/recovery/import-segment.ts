import { randomUUID } from 'node:crypto';
import { dynamo, kms, s3 } from '../shared/clients.ts';
import { eventFunction } from '../shared/event-function.ts';
import { BackupCatalog, backupPartition } from './catalog/backup-catalog.ts';
import { Failures } from './catalog/failures.ts';
import { RecoveryTable } from './catalog/recovery-table.ts';
import { systemClock } from './clock.ts';
import { requireAtWork, storePlace } from './compose.ts';
import { recoveryContract } from './contract.ts';
import { ImportCatalog } from './import/import-catalog.ts';
import { runSegmentState } from './import/run-segment-state.ts';
import { Bucket } from './objects/bucket.ts';

/** One state of one segment of a dump. */
export const handler = eventFunction({
  contract: recoveryContract.functions['import-segment'],
  handler: (environment) => {
    const table = new RecoveryTable(dynamo(), environment.RECOVERY_TABLE);
    const catalog = new BackupCatalog(table);
    const bucket = new Bucket(s3(), environment.BACKUPS_BUCKET);
    const common = {
      bucket,
      place: storePlace(environment),
      verifyPlace: { bucket, kms: kms(), keyArn: environment.ENCRYPTION_KEY_ARN },
      clock: systemClock,
    };
    return async (event, { log, trace }) => {
      const { backupId, phase } = event;
      const { index } = event.segment;
      const failures = new Failures(table, backupPartition(backupId));
      const imports = new ImportCatalog(table, backupId);
      const deps = { ...common, backupId, imports, attempt: randomUUID().slice(0, 8) };
      const segment = await failures.watch(`segment#${index}`, async () => {
        await requireAtWork(catalog, backupId);
        return runSegmentState(deps, event);
      });
      log.info('Segment', { backupId, phase, index });
      return { backupId, traceparent: trace.traceparent, segment };
    };
  },
});
