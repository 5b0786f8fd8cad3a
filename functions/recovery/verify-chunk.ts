import { dynamo, kms, s3 } from '../shared/clients.ts';
import { eventFunction } from '../shared/event-function.ts';
import { backupPartition } from './catalog/backup-catalog.ts';
import { ChunkCatalog } from './catalog/chunk-catalog.ts';
import { Failures } from './catalog/failures.ts';
import { OperationCatalog, operationPartition } from './catalog/operation-catalog.ts';
import { RecoveryTable } from './catalog/recovery-table.ts';
import { systemClock } from './clock.ts';
import { recoveryContract } from './contract.ts';
import { Bucket } from './objects/bucket.ts';
import { verifyWork } from './verification/verify-work.ts';

/** Reads stored objects back, for a backup that is being taken or for one that is being verified. */
export const handler = eventFunction({
  contract: recoveryContract.functions['verify-chunk'],
  handler: (environment) => {
    const table = new RecoveryTable(dynamo(), environment.RECOVERY_TABLE);
    const operations = new OperationCatalog(table);
    const place = {
      bucket: new Bucket(s3(), environment.BACKUPS_BUCKET),
      kms: kms(),
      keyArn: environment.ENCRYPTION_KEY_ARN,
    };
    return async (event, { log }) => {
      const { backupId } = event;
      const chunks = new ChunkCatalog(table, backupId);
      const [partition, item] =
        event.purpose === 'backup'
          ? [backupPartition(backupId), `${event.shard}#${event.work.item}#verify`]
          : [operationPartition(event.operationId), `${event.work.item}`];
      const result = await new Failures(table, partition).watch(item, () =>
        verifyWork({ place, chunks, operations, clock: systemClock }, event),
      );
      log.info('Read back', { backupId, ...result });
      return result;
    };
  },
});
