import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { Announcer } from '../shared/announcer.ts';
import { dynamo, eventBridge, kms, s3 } from '../shared/clients.ts';
import { eventFunction } from '../shared/event-function.ts';
import { eventSource } from './bus-events.ts';
import { BackupCatalog } from './catalog/backup-catalog.ts';
import { ChunkCatalog } from './catalog/chunk-catalog.ts';
import { RecoveryTable } from './catalog/recovery-table.ts';
import { ShardLocks } from './catalog/shard-locks.ts';
import { isoTime, systemClock } from './clock.ts';
import { recoveryContract } from './contract.ts';
import { commitBackup } from './manifest/commit.ts';
import { ManifestStore } from './manifest/manifest-store.ts';
import { Bucket } from './objects/bucket.ts';

/** Last state of the backup workflow: from here on the backup exists. */
export const handler = eventFunction({
  contract: recoveryContract.functions.commit,
  handler: (environment) => {
    const table = new RecoveryTable(dynamo(), environment.RECOVERY_TABLE);
    const catalog = new BackupCatalog(table);
    const bucket = new Bucket(s3(), environment.BACKUPS_BUCKET);
    const place = { bucket, kms: kms(), keyArn: environment.ENCRYPTION_KEY_ARN };
    const manifests = new ManifestStore(bucket, kms(), environment.HMAC_KEY_ARN);
    const announcer = new Announcer(eventBridge(), environment.EVENT_BUS_NAME);
    return async ({ backupId }, { log, metrics, trace }) => {
      const chunks = new ChunkCatalog(table, backupId);
      const deps = { catalog, chunks, place, manifests, clock: systemClock };
      const { record, manifest } = await commitBackup(deps, backupId);
      const { totals } = manifest.manifest;
      await new ShardLocks(table, catalog).release(backupId, record.shards);
      const durationMs = Date.parse(record.finishedAt ?? '') - Date.parse(record.startedAt ?? '');
      await announcer.announce(eventSource, 'backup.completed', {
        version: 1,
        backupId,
        shards: record.shards,
        at: record.finishedAt ?? isoTime(systemClock.now()),
        traceparent: trace.traceparent,
        durationMs,
        storedBytes: totals.storedBytes,
        rows: totals.rows,
        manifestKey: manifest.key,
      });
      metrics.addMetric('BackupsCompleted', MetricUnit.Count, 1);
      metrics.addMetric('BackupDurationMs', MetricUnit.Milliseconds, durationMs);
      metrics.addMetric('BackupBytes', MetricUnit.Bytes, totals.storedBytes);
      metrics.addMetric('BackupRows', MetricUnit.Count, totals.rows);
      log.info('Backup completed', { backupId, durationMs, ...totals });
      const { objects, storedBytes } = totals;
      return { backupId, manifestKey: manifest.key, objects, storedBytes };
    };
  },
});
