import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { Announcer } from '../shared/announcer.ts';
import { dynamo, eventBridge, kms, s3 } from '../shared/clients.ts';
import { eventFunction } from '../shared/event-function.ts';
import { RuleStore } from './automation/rule-store.ts';
import { eventSource } from './bus-events.ts';
import { BackupCatalog } from './catalog/backup-catalog.ts';
import { RecoveryTable } from './catalog/recovery-table.ts';
import { isoTime, systemClock } from './clock.ts';
import { recoveryContract } from './contract.ts';
import { RetentionCatalog } from './expiry/retention-catalog.ts';
import { commitImport } from './import/commit-import.ts';
import { ImportCatalog } from './import/import-catalog.ts';
import { sealedKeysOf } from './keys/escrow-of.ts';
import { ManifestStore } from './manifest/manifest-store.ts';
import { Bucket } from './objects/bucket.ts';

/** Last state of the import workflow: from here on the dump is a backup. */
export const handler = eventFunction({
  contract: recoveryContract.functions['commit-import'],
  handler: (environment) => {
    const table = new RecoveryTable(dynamo(), environment.RECOVERY_TABLE);
    const bucket = new Bucket(s3(), environment.BACKUPS_BUCKET);
    const catalog = new BackupCatalog(table);
    const escrowKeys = sealedKeysOf(bucket, kms(), environment.ESCROW_KEY_ARN);
    const common = {
      catalog,
      settle: {
        catalog,
        bucket,
        rules: new RuleStore(table),
        retention: new RetentionCatalog(table),
        mode: environment.OBJECT_LOCK_MODE,
        defaultLockDays: environment.OBJECT_LOCK_DAYS,
      },
      manifests: new ManifestStore(
        bucket,
        kms(),
        environment.HMAC_KEY_ARN,
        escrowKeys && { keys: escrowKeys, reads: 'kms' },
      ),
      bucket,
      clock: systemClock,
      keyArn: environment.ENCRYPTION_KEY_ARN,
    };
    const announcer = new Announcer(eventBridge(), environment.EVENT_BUS_NAME);
    return async ({ backupId }, { log, metrics, trace, remainingMs }) => {
      const imports = new ImportCatalog(table, backupId);
      const onNotLocked = (error: unknown) => {
        log.error('The import is not locked', { backupId, error });
        metrics.addMetric('BackupsFailed', MetricUnit.Count, 1);
      };
      const deps = { ...common, imports, remainingMs, onNotLocked };
      const { record, manifest } = await commitImport(deps, backupId);
      const { totals } = manifest.manifest;
      const durationMs = Date.parse(record.finishedAt ?? '') - Date.parse(record.startedAt ?? '');
      await announcer.announce(eventSource, 'backup.completed', {
        version: 1,
        backupId,
        shards: [],
        at: record.finishedAt ?? isoTime(systemClock.now()),
        traceparent: trace.traceparent,
        durationMs,
        storedBytes: totals.storedBytes,
        rows: 0,
        manifestKey: manifest.key,
      });
      // Not counted with the backups of shards: an import must not hide that none was taken.
      metrics.addMetric('ImportsCompleted', MetricUnit.Count, 1);
      metrics.addMetric('ImportBytes', MetricUnit.Bytes, totals.plainBytes);
      log.info('Import completed', { backupId, durationMs, ...totals });
      return { backupId, manifestKey: manifest.key };
    };
  },
});
