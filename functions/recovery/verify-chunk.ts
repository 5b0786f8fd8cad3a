import { dynamo } from '../shared/clients.ts';
import { eventFunction } from '../shared/event-function.ts';
import { backupPartition } from './catalog/backup-catalog.ts';
import { ChunkCatalog } from './catalog/chunk-catalog.ts';
import { ComponentCatalog } from './catalog/component-catalog.ts';
import { Failures } from './catalog/failures.ts';
import { OperationCatalog, operationPartition } from './catalog/operation-catalog.ts';
import { RecoveryTable } from './catalog/recovery-table.ts';
import { systemClock } from './clock.ts';
import { recoveryContract } from './contract.ts';
import { readingPlaces } from './keys/reading.ts';
import { verifyWork } from './verification/verify-work.ts';

/** Reads stored objects back, for a backup that is being taken or for one that is being verified. */
export const handler = eventFunction({
  contract: recoveryContract.functions['verify-chunk'],
  handler: (environment) => {
    const table = new RecoveryTable(dynamo(), environment.RECOVERY_TABLE);
    const operations = new OperationCatalog(table);
    const placeOf = readingPlaces(environment);
    return async (event, { log }) => {
      const { backupId } = event;
      const place = placeOf(event.purpose === 'verification' ? event.keys : 'kms');
      const chunks = new ChunkCatalog(table, backupId);
      const components = new ComponentCatalog(table, backupId);
      const [partition, item] =
        event.purpose === 'verification'
          ? [operationPartition(event.operationId), `${event.work.item}`]
          : [
              backupPartition(backupId),
              `${event.purpose === 'backup' ? event.shard : event.part}#${event.work.item}#verify`,
            ];
      const result = await new Failures(table, partition).watch(item, () =>
        verifyWork({ place, chunks, components, operations, clock: systemClock }, event),
      );
      log.info('Read back', { backupId, ...result });
      return result;
    };
  },
});
