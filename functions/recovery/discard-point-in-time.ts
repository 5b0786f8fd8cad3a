import { dynamo, rds } from '../shared/clients.ts';
import { eventFunction } from '../shared/event-function.ts';
import { ShardReader } from '../shared/shards.ts';
import { RecoveryTable } from './catalog/recovery-table.ts';
import { RestoreCatalog } from './catalog/restore-catalog.ts';
import { RestoreNotes } from './catalog/restore-notes.ts';
import { systemClock } from './clock.ts';
import { recoveryContract } from './contract.ts';
import { discardClusters } from './restore/point-in-time/discard.ts';

/** Removes the clusters of restores that were canceled, or failed for good. */
export const handler = eventFunction({
  contract: recoveryContract.functions['discard-point-in-time'],
  handler: (environment) => {
    const table = new RecoveryTable(dynamo(), environment.RECOVERY_TABLE);
    const deps = {
      restores: new RestoreCatalog(table),
      notes: (id: ConstructorParameters<typeof RestoreNotes>[1]) => new RestoreNotes(table, id),
      rds: rds(),
      clock: systemClock,
    };
    return async ({ restoreId }, { log }) => {
      // Read anew each time: what is being used is never removed.
      const shards = new ShardReader(dynamo(), environment.SHARDS_TABLE);
      const discarded = await discardClusters({ ...deps, listShards: () => shards.list() }, log, restoreId);
      log.info('Clusters of restores removed', { discarded });
      return { discarded };
    };
  },
});
