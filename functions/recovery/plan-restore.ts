import { dynamo, rds, s3 } from '../shared/clients.ts';
import { eventFunction } from '../shared/event-function.ts';
import { inputTraceparent } from '../shared/execution-trace.ts';
import { ShardReader } from '../shared/shards.ts';
import { BackupCatalog } from './catalog/backup-catalog.ts';
import { RecoveryTable } from './catalog/recovery-table.ts';
import { RestoreCatalog } from './catalog/restore-catalog.ts';
import { RestoreNotes } from './catalog/restore-notes.ts';
import { systemClock } from './clock.ts';
import { recoveryContract } from './contract.ts';
import { readingManifests, readingPlaces } from './keys/reading.ts';
import { Bucket } from './objects/bucket.ts';
import { planRestore } from './restore/plan-restore.ts';

/** First state of the restore workflow: what is restored, from which objects, to where. */
export const handler = eventFunction({
  contract: recoveryContract.functions['plan-restore'],
  traceparentOf: inputTraceparent,
  handler: (environment) => {
    const table = new RecoveryTable(dynamo(), environment.RECOVERY_TABLE);
    const bucket = new Bucket(s3(), environment.BACKUPS_BUCKET);
    const shards = new ShardReader(dynamo(), environment.SHARDS_TABLE);
    const restores = new RestoreCatalog(table);
    const manifestsOf = readingManifests(environment);
    const placeOf = readingPlaces(environment);
    return async ({ executionArn, input: { restoreId } }, { log, trace }) => {
      const keys = (await restores.get(restoreId))?.keys ?? 'kms';
      const planned = await planRestore(
        {
          restores,
          backups: new BackupCatalog(table),
          notes: new RestoreNotes(table, restoreId),
          manifests: manifestsOf(keys),
          bucket,
          place: () => placeOf(keys),
          rds: rds(),
          listShards: () => shards.list(),
          clock: systemClock,
          stateMachineArn: environment.BACKUP_STATE_MACHINE_ARN,
          tenants: environment.TENANTS,
        },
        restoreId,
        executionArn,
      );
      log.info('Restore planned', { restoreId, backupId: planned.backupId, mode: planned.mode });
      return { ...planned, traceparent: trace.traceparent, bucket: bucket.name };
    };
  },
});
