import { randomUUID } from 'node:crypto';
import { dynamo, kms, s3 } from '../shared/clients.ts';
import { eventFunction } from '../shared/event-function.ts';
import { BackupCatalog } from './catalog/backup-catalog.ts';
import { Failures } from './catalog/failures.ts';
import { OperationCatalog, operationPartition } from './catalog/operation-catalog.ts';
import { RecoveryTable } from './catalog/recovery-table.ts';
import { systemClock } from './clock.ts';
import { recoveryContract } from './contract.ts';
import { sealedKeysOf, withEscrow } from './keys/escrow-of.ts';
import { readingPlaces } from './keys/reading.ts';
import { Bucket } from './objects/bucket.ts';
import { reencryptWork } from './reencryption/reencrypt-work.ts';
import { ReencryptedObjects } from './reencryption/reencrypted-objects.ts';
import { kmsKeyring } from './stages/encrypt.ts';

/** Stores some objects of a backup anew, under the keys as of now. */
export const handler = eventFunction({
  contract: recoveryContract.functions['reencrypt-objects'],
  handler: (environment) => {
    const { ENCRYPTION_KEY_ARN: keyArn, ESCROW_KEY_ARN } = environment;
    const table = new RecoveryTable(dynamo(), environment.RECOVERY_TABLE);
    const bucket = new Bucket(s3(), environment.BACKUPS_BUCKET);
    const placeOf = readingPlaces(environment);
    return async ({ backupId, operationId, keys, work }, { log }) => {
      // Looked for anew each time: the passphrase may just have been changed.
      const escrow = sealedKeysOf(bucket, kms(), ESCROW_KEY_ARN);
      const failures = new Failures(table, operationPartition(operationId));
      const result = await failures.watch(`${work.item}`, () =>
        reencryptWork(
          {
            catalog: new BackupCatalog(table),
            operations: new OperationCatalog(table),
            reencrypted: new ReencryptedObjects(table, operationId),
            from: placeOf(keys),
            to: {
              ...{ s3: s3(), bucket: bucket.name, escrow },
              keyring: withEscrow(kmsKeyring(kms(), keyArn), escrow),
            },
            verify: { bucket, kms: kms(), keyArn },
            lockMode: environment.OBJECT_LOCK_MODE,
            clock: systemClock,
            attempt: randomUUID().slice(0, 8),
          },
          { backupId, operationId },
          work,
        ),
      );
      log.info('Re-encrypted', { backupId, operationId, ...result });
      return result;
    };
  },
});
