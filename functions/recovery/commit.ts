import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { Announcer } from '../shared/announcer.ts';
import { dynamo, eventBridge, kms, s3 } from '../shared/clients.ts';
import { eventFunction } from '../shared/event-function.ts';
import { RuleStore } from './automation/rule-store.ts';
import { eventSource } from './bus-events.ts';
import { BackupCatalog } from './catalog/backup-catalog.ts';
import { ChunkCatalog } from './catalog/chunk-catalog.ts';
import { ComponentCatalog } from './catalog/component-catalog.ts';
import { RecoveryTable } from './catalog/recovery-table.ts';
import { ShardLocks } from './catalog/shard-locks.ts';
import { isoTime, systemClock } from './clock.ts';
import { recoveryContract } from './contract.ts';
import { RetentionCatalog } from './expiry/retention-catalog.ts';
import { settleKeeping, settleLock } from './expiry/settle-retention.ts';
import { sealedKeysOf } from './keys/escrow-of.ts';
import { withoutEscrow } from './keys/without-escrow.ts';
import { commitBackup } from './manifest/commit.ts';
import { ownBytes } from './manifest/manifest.ts';
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
    const escrowKeys = sealedKeysOf(bucket, kms(), environment.ESCROW_KEY_ARN);
    const manifests = new ManifestStore(
      bucket,
      kms(),
      environment.HMAC_KEY_ARN,
      escrowKeys && { keys: escrowKeys, reads: 'kms' },
    );
    const settle = {
      catalog,
      bucket,
      rules: new RuleStore(table),
      retention: new RetentionCatalog(table),
      mode: environment.OBJECT_LOCK_MODE,
      defaultLockDays: environment.OBJECT_LOCK_DAYS,
    };
    const announcer = new Announcer(eventBridge(), environment.EVENT_BUS_NAME);
    return async ({ backupId }, { log, metrics, trace }) => {
      const chunks = new ChunkCatalog(table, backupId);
      const components = new ComponentCatalog(table, backupId);
      const deps = { catalog, chunks, components, place, manifests, clock: systemClock };
      await settleKeeping(settle, backupId);
      const { record, manifest } = await commitBackup(deps, backupId);
      try {
        await settleLock(settle, manifest);
      } catch (error) {
        // The backup is good, and stays; that it is not locked as was asked for must be heard of.
        log.error('The backup is not locked', { backupId, error });
        metrics.addMetric('BackupsFailed', MetricUnit.Count, 1);
        throw error;
      }
      const { totals } = manifest.manifest;
      const storedBytes = ownBytes(manifest.manifest);
      await new ShardLocks(table, catalog).release(backupId, record.shards);
      const durationMs = Date.parse(record.finishedAt ?? '') - Date.parse(record.startedAt ?? '');
      await announcer.announce(eventSource, 'backup.completed', {
        version: 1,
        backupId,
        shards: record.shards,
        at: record.finishedAt ?? isoTime(systemClock.now()),
        traceparent: trace.traceparent,
        durationMs,
        storedBytes,
        rows: totals.rows,
        manifestKey: manifest.key,
        ...(record.tenant && { tenant: record.tenant.id }),
      });
      if (escrowKeys !== undefined) {
        const uncovered = withoutEscrow(manifest.manifest);
        if (uncovered > 0) log.warn('Objects of the backup are not in escrow', { backupId, uncovered });
        metrics.addMetric('ObjectsWithoutEscrow', MetricUnit.Count, uncovered);
      }
      // A tenant's backup is none of the platform: without one of that, the alarm has to come all the same.
      if (record.tenant === undefined) {
        metrics.addMetric('BackupsCompleted', MetricUnit.Count, 1);
        metrics.addMetric('BackupDurationMs', MetricUnit.Milliseconds, durationMs);
        metrics.addMetric('BackupBytes', MetricUnit.Bytes, storedBytes);
        metrics.addMetric('BackupRows', MetricUnit.Count, totals.rows);
      }
      log.info('Backup completed', { backupId, durationMs, ...totals });
      return { backupId, manifestKey: manifest.key, objects: totals.objects, storedBytes };
    };
  },
});
