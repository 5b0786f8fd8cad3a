import { connect, wakeUpMs, withConnection } from '../shared/database.ts';
import { eventFunction } from '../shared/event-function.ts';
import { bootstrapContract } from './contract.ts';
import { prepareDatabase } from './prepare-database.ts';
import { prepareRestores } from './prepare-restores.ts';

/** Prepares one shard's database as its master user. */
export const handler = eventFunction({
  contract: bootstrapContract.functions.database,
  handler:
    () =>
    async ({ shard, counted, master }, { log }) => {
      const { host, port } = shard;
      const { username: user, password } = master;
      const limits = { connectTimeoutMs: wakeUpMs, statementTimeoutMs: 60_000 };
      const login = (database: string) => ({ host, port, database, user, password, ...limits });
      const result = await withConnection(login(shard.database), async (client) => {
        const prepared = await prepareDatabase(client, shard.name, counted);
        await prepareRestores(client, (database) => connect(login(database)));
        return prepared;
      });
      log.info('The database is prepared', { ...result });
      if (result.hidden.length > 0) {
        log.warn('Tables with row security that cannot be backed up', { hidden: result.hidden });
      }
      return result;
    },
});
