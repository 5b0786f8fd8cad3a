import { dynamo, kms, s3 } from '../shared/clients.ts';
import { eventFunction } from '../shared/event-function.ts';
import { inputTraceparent } from '../shared/execution-trace.ts';
import { Adoptions } from './adoption/adoptions.ts';
import { finishAdoption } from './adoption/finish-adoption.ts';
import { planAdoption } from './adoption/plan-adoption.ts';
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

/** The first and the last state of the workflow that stores a backup anew: one of the deployment, or one that it adopts. */
export const handler = eventFunction({
  contract: recoveryContract.functions['reencrypt-backup'],
  traceparentOf: inputTraceparent,
  handler: (environment) => {
    const table = new RecoveryTable(dynamo(), environment.RECOVERY_TABLE);
    const bucket = new Bucket(s3(), environment.BACKUPS_BUCKET);
    const catalog = new BackupCatalog(table);
    const operations = new OperationCatalog(table);
    const adoptions = new Adoptions(table);
    const manifestsOf = readingManifests(environment);
    return async (event, { log, trace, remainingMs }) => {
      const { operationId } = event;
      if (event.phase === 'plan') {
        const { executionArn, input } = event;
        const { backupId, keys, adopt: from } = input;
        const parts = { catalog, operations, bucket, manifests: manifestsOf(keys) };
        const about = { backupId, operationId, executionArn };
        const planned =
          from === undefined
            ? await planReencryption(parts, about)
            : await planAdoption({ ...parts, adoptions, clock: systemClock }, { ...about, from });
        return { backupId, operationId, traceparent: trace.traceparent, keys, ...planned };
      }
      const { backupId, keys } = event;
      const escrow = sealedKeysOf(bucket, kms(), environment.ESCROW_KEY_ARN);
      const parts = {
        ...{ catalog, operations, clock: systemClock },
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
        defaultLockDays: environment.OBJECT_LOCK_DAYS,
      };
      const about = { backupId, operationId };
      const restores = new RestoreCatalog(table);
      const result =
        keys === 'vault'
          ? await finishAdoption(parts, about)
          : await finishReencryption(
              { ...parts, bucket, restores, remainingMs, lockMode: environment.OBJECT_LOCK_MODE },
              about,
            );
      log.info(keys === 'vault' ? 'Backup adopted' : 'Backup re-encrypted', { ...about, ...result });
      return { operationId, ...result };
    };
  },
});
