import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { Announcer } from '../shared/announcer.ts';
import { dynamo, eventBridge, kms, s3 } from '../shared/clients.ts';
import { eventFunction } from '../shared/event-function.ts';
import { eventSource } from './bus-events.ts';
import { BackupCatalog } from './catalog/backup-catalog.ts';
import { ChunkCatalog } from './catalog/chunk-catalog.ts';
import { endUnstarted } from './catalog/end-unstarted.ts';
import { OperationCatalog } from './catalog/operation-catalog.ts';
import { RecoveryTable } from './catalog/recovery-table.ts';
import { RestoreCatalog } from './catalog/restore-catalog.ts';
import { isoTime, systemClock } from './clock.ts';
import { recoveryContract } from './contract.ts';
import { RetentionCatalog } from './expiry/retention-catalog.ts';
import { ManifestStore } from './manifest/manifest-store.ts';
import { Bucket } from './objects/bucket.ts';
import { sweepReencrypted } from './reencryption/sweep-reencrypted.ts';
import { sweepBackups } from './sweep-backups.ts';

/**
 * Removes what deleted, expired, failed, canceled and re-encrypted backups have stored. Without a backup it
 * also ends what was asked for and never started.
 */
export const handler = eventFunction({
  contract: recoveryContract.functions.sweep,
  handler: (environment) => {
    const table = new RecoveryTable(dynamo(), environment.RECOVERY_TABLE);
    const catalog = new BackupCatalog(table);
    const bucket = new Bucket(s3(), environment.BACKUPS_BUCKET);
    const retention = new RetentionCatalog(table);
    const operations = new OperationCatalog(table);
    const restores = new RestoreCatalog(table);
    const manifests = new ManifestStore(bucket, kms(), environment.HMAC_KEY_ARN);
    const announcer = new Announcer(eventBridge(), environment.EVENT_BUS_NAME);
    return async ({ backupId }, { log, metrics, trace, remainingMs }) => {
      if (backupId === undefined) await endUnstarted({ table, clock: systemClock, log });
      const result = await sweepBackups(
        {
          catalog,
          retention,
          manifests,
          chunks: (id) => new ChunkCatalog(table, id),
          bucket,
          clock: systemClock,
          remainingMs,
          log,
          sweepReencrypted: (record, needed, hasTime) =>
            sweepReencrypted(
              { catalog, operations, restores, manifests, bucket, clock: systemClock, log },
              record,
              needed,
              hasTime,
            ),
          onDeleted: ({ id, shards }) =>
            announcer.announce(eventSource, 'backup.deleted', {
              version: 1,
              backupId: id,
              shards,
              at: isoTime(systemClock.now()),
              traceparent: trace.traceparent,
            }),
        },
        backupId,
      );
      metrics.addMetric('ObjectsSwept', MetricUnit.Count, result.objectsRemoved);
      log.info('Swept', { ...result });
      return result;
    };
  },
});
