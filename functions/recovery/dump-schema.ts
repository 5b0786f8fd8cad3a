import { eventFunction } from '../shared/event-function.ts';
import { requireAtWork, shardParts, storePlace } from './compose.ts';
import { recoveryContract } from './contract.ts';
import { dumpDdl, dumpSequences } from './schema/dump-schema.ts';

/** Stores what of a shard is not rows: its DDL before them, the values of its sequences after them. */
export const handler = eventFunction({
  contract: recoveryContract.functions['dump-schema'],
  handler: (environment) => {
    const place = storePlace(environment);
    return async (event, { log }) => {
      const started = performance.now();
      const { phase } = event;
      const deps = { ...shardParts(environment.RECOVERY_TABLE, event), place, tenant: event.shard.tenant };
      await requireAtWork(deps.catalog, deps.backupId);
      const objects = phase === 'ddl' ? await dumpDdl(deps) : await dumpSequences(deps);
      const result = {
        phase,
        objects: objects.length,
        bytes: objects.reduce((sum, object) => sum + object.plainBytes, 0),
        durationMs: Math.round(performance.now() - started),
      };
      log.info('Schema stored', { backupId: event.backupId, shard: event.shard.name, ...result });
      return result;
    };
  },
});
