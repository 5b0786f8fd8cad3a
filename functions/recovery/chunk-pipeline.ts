import { eventFunction } from '../shared/event-function.ts';
import { backupPartition } from './catalog/backup-catalog.ts';
import { Failures } from './catalog/failures.ts';
import { runChunk } from './chunks/run-chunk.ts';
import { requireAtWork, shardParts, storePlace } from './compose.ts';
import { recoveryContract } from './contract.ts';

/** Copies one work item from the database to the store, in one pass. */
export const handler = eventFunction({
  contract: recoveryContract.functions['chunk-pipeline'],
  handler: (environment) => {
    const place = storePlace(environment);
    return async (event, { log, remainingMs, trace }) => {
      const { backupId, work } = event;
      const shard = event.shard.name;
      const parts = shardParts(environment.RECOVERY_TABLE, event);
      const failures = new Failures(parts.table, backupPartition(backupId));
      const record = await failures.watch(`${shard}#${work.item}`, async () => {
        await requireAtWork(parts.catalog, backupId);
        const { tenant } = event.shard;
        return runChunk({ ...parts, place, remainingMs }, { backupId, shard, work, tenant });
      });
      const { item, rows, bytesRead, bytesStored, stages, objects } = record;
      log.info('Chunk stored', { backupId, shard, item, rows, bytesRead, bytesStored, stages });
      return { purpose: 'backup', backupId, traceparent: trace.traceparent, shard, work: { item, objects } };
    };
  },
});
