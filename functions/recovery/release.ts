import { dynamo } from '../shared/clients.ts';
import { eventFunction } from '../shared/event-function.ts';
import { RecoveryTable } from './catalog/recovery-table.ts';
import { SnapshotStore } from './catalog/snapshot-store.ts';
import { recoveryContract } from './contract.ts';

/** Says that a shard's snapshot is no longer needed; its holder lets go at its next renewal. */
export const handler = eventFunction({
  contract: recoveryContract.functions.release,
  handler: (environment) => {
    const table = new RecoveryTable(dynamo(), environment.RECOVERY_TABLE);
    return async ({ backupId, shard }) => ({
      released: await new SnapshotStore(table, backupId, shard.name).release(),
    });
  },
});
