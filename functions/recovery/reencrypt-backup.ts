import { dynamo, kms, s3 } from '../shared/clients.ts';
import { eventFunction } from '../shared/event-function.ts';
import { inputTraceparent } from '../shared/execution-trace.ts';
import { BackupCatalog } from './catalog/backup-catalog.ts';
import { OperationCatalog } from './catalog/operation-catalog.ts';
import { RecoveryTable } from './catalog/recovery-table.ts';
import { RestoreCatalog } from './catalog/restore-catalog.ts';
import { systemClock } from './clock.ts';
import { recoveryContract } from './contract.ts';
import { RetentionCatalog } from './expiry/retention-catalog.ts';
import { sealedKeysOf } from './keys/escrow-of.ts';
import { readingManifests } from './keys/reading.ts';
import { ManifestStore } from './manifest/manifest-store.ts';
import { Bucket } from './objects/bucket.ts';
import { finishReencryption } from './reencryption/finish-reencryption.ts';
import { planReencryption } from './reencryption/plan-reencryption.ts';
import { ReencryptedObjects } from './reencryption/reencrypted-objects.ts';

/** The first and the last state of the workflow that re-encrypts a backup. */
export const handler = eventFunction({
  contract: recoveryContract.functions['reencrypt-backup'],
  traceparentOf: inputTraceparent,
  handler: (environment) => {
    const table = new RecoveryTable(dynamo(), environment.RECOVERY_TABLE);
    const bucket = new Bucket(s3(), environment.BACKUPS_BUCKET);
    const catalog = new BackupCatalog(table);
    const operations = new OperationCatalog(table);
    const manifestsOf = readingManifests(environment);
    return async (event, { log, trace, remainingMs }) => {
      const { operationId } = event;
      if (event.phase === 'plan') {
        const { executionArn, input } = event;
        const { backupId, keys } = input;
        const planned = await planReencryption(
          { catalog, operations, bucket, manifests: manifestsOf(keys) },
          { backupId, operationId, executionArn },
        );
        return { backupId, operationId, traceparent: trace.traceparent, keys, ...planned };
      }
      const { backupId, keys } = event;
      const escrow = sealedKeysOf(bucket, kms(), environment.ESCROW_KEY_ARN);
      const result = await finishReencryption(
        {
          ...{ catalog, operations, bucket, remainingMs, clock: systemClock },
          restores: new RestoreCatalog(table),
          retention: new RetentionCatalog(table),
          reencrypted: new ReencryptedObjects(table, operationId),
          known: manifestsOf(keys),
          manifests: new ManifestStore(
            bucket,
            kms(),
            environment.HMAC_KEY_ARN,
            escrow && { keys: escrow, reads: 'kms' },
          ),
          keyArn: environment.ENCRYPTION_KEY_ARN,
          lockMode: environment.OBJECT_LOCK_MODE,
          defaultLockDays: environment.OBJECT_LOCK_DAYS,
        },
        { backupId, operationId },
      );
      log.info('Backup re-encrypted', { backupId, operationId, ...result });
      return { operationId, ...result };
    };
  },
});
