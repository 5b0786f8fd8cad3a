import { dynamo, rds } from '../shared/clients.ts';
import { eventFunction } from '../shared/event-function.ts';
import { inputTraceparent } from '../shared/execution-trace.ts';
import { ShardReader } from '../shared/shards.ts';
import { BackupCatalog } from './catalog/backup-catalog.ts';
import { ChunkCatalog } from './catalog/chunk-catalog.ts';
import { RecoveryTable } from './catalog/recovery-table.ts';
import { ShardLocks } from './catalog/shard-locks.ts';
import { systemClock } from './clock.ts';
import { componentsOf } from './components.ts';
import { recoveryContract } from './contract.ts';
import { planBackup } from './plan-backup.ts';

/** First state of the backup workflow: which instances are read. */
export const handler = eventFunction({
  contract: recoveryContract.functions.plan,
  traceparentOf: inputTraceparent,
  handler: (environment) => {
    const table = new RecoveryTable(dynamo(), environment.RECOVERY_TABLE);
    const catalog = new BackupCatalog(table);
    const reader = new ShardReader(dynamo(), environment.SHARDS_TABLE);
    return async (event, { trace, log }) => {
      const { backupId } = event;
      const { traceparent } = trace;
      const shards = await planBackup(
        {
          catalog,
          chunks: new ChunkCatalog(table, backupId),
          locks: new ShardLocks(table, catalog),
          listShards: () => reader.list(),
          rds: rds(),
          clock: systemClock,
          traceparent,
          tenants: environment.TENANTS,
        },
        event,
      );
      log.info('Backup planned', { backupId, instances: shards.map(({ instance }) => instance.identifier) });
      const components = componentsOf(event.input);
      const parts = {
        database: components.includes('database'),
        files: components.includes('files'),
        configuration: components.includes('configuration'),
      };
      const type = event.input.tenant === undefined ? event.input.type : 'full';
      return { backupId, traceparent, type, parts, shards };
    };
  },
});
