import { eventFunction } from '../shared/event-function.ts';
import { recoveryContract } from './contract.ts';
import { finishDatabase, lookAtTarget, prepareDatabase, swapInDatabase } from './restore/database-phases.ts';
import { discardRestores } from './restore/discard.ts';
import { deadlineOf, restoreStores } from './restore/restore-parts.ts';

/** Makes, finishes, swaps and removes the databases of restores. */
export const handler = eventFunction({
  contract: recoveryContract.functions['restore-database'],
  handler: (environment) => {
    const stores = restoreStores(environment);
    return async (event, { log, remainingMs }) => {
      const { phase } = event;
      if (phase === 'discard') {
        const discarded = await discardRestores(stores, log, event.restoreId);
        log.info('Databases of restores removed', { discarded });
        return { outcome: 'done' };
      }
      const { restoreId, shard: target, dryRun } = event;
      const work = { restoreId, target, deadline: deadlineOf(remainingMs) };
      const run = async () => {
        switch (phase) {
          case 'prepare':
            return dryRun ? lookAtTarget(stores, work) : prepareDatabase(stores, work);
          case 'finish':
            return finishDatabase(stores, work);
          case 'swap':
            return swapInDatabase(stores, work, environment.SHARDS_TABLE);
          default:
            return phase satisfies never;
        }
      };
      const outcome = await run();
      const { name: shard, database } = target;
      log.info('Database of a restore', { restoreId, shard, database, phase, outcome });
      return { outcome };
    };
  },
});
