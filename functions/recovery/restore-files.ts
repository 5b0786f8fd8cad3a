import { dynamo, s3 } from '../shared/clients.ts';
import { eventFunction } from '../shared/event-function.ts';
import { Failures } from './catalog/failures.ts';
import { RecoveryTable } from './catalog/recovery-table.ts';
import { RestoreCatalog, restorePartition } from './catalog/restore-catalog.ts';
import { RestoreNotes } from './catalog/restore-notes.ts';
import { recoveryContract } from './contract.ts';
import { restoreFiles } from './files/restore-files.ts';
import { readingPlaces } from './keys/reading.ts';
import { Bucket } from './objects/bucket.ts';
import { requireRestoring } from './restore/restore-parts.ts';

/** Puts one work item of files back. */
export const handler = eventFunction({
  contract: recoveryContract.functions['restore-files'],
  handler: (environment) => {
    const table = new RecoveryTable(dynamo(), environment.RECOVERY_TABLE);
    const restores = new RestoreCatalog(table);
    const placeOf = readingPlaces(environment);
    const target = { s3: s3(), bucket: environment.ASSETS_BUCKET };
    return async ({ restoreId, dryRun, work }, { log }) => {
      const failures = new Failures(table, restorePartition(restoreId));
      const done = await failures.watch(`files#${work.item}`, async () => {
        const { keys } = await requireRestoring(restores, restoreId);
        const items = new Bucket(s3(), environment.BACKUPS_BUCKET);
        return restoreFiles({ place: placeOf(keys), items, target, dryRun }, work);
      });
      await new RestoreNotes(table, restoreId).putFiles(done);
      const { item, restored, equal, bytes, conflictsTotal: conflicts } = done;
      log.info('Files restored', { restoreId, item, restored, equal, conflicts, bytes, dryRun });
      return { item, restored, equal, conflicts };
    };
  },
});
