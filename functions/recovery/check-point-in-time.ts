import { dynamo } from '../shared/clients.ts';
import { eventFunction } from '../shared/event-function.ts';
import { RecoveryTable } from './catalog/recovery-table.ts';
import { RestoreNotes } from './catalog/restore-notes.ts';
import { recoveryContract } from './contract.ts';
import { checkRestored } from './restore/point-in-time/check.ts';
import { restoreConnection } from './restore/restore-parts.ts';

/** Looks at a restored cluster from where the platform reaches it. */
export const handler = eventFunction({
  contract: recoveryContract.functions['check-point-in-time'],
  handler: (environment) => {
    const table = new RecoveryTable(dynamo(), environment.RECOVERY_TABLE);
    return async ({ restoreId, shard, database, server }, { log }) => {
      const notes = new RestoreNotes(table, restoreId);
      const relations = await checkRestored({ connect: restoreConnection(server), notes }, shard, database);
      log.info('The restored cluster answers', { restoreId, shard, relations });
      return { relations };
    };
  },
});
