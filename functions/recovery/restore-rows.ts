import { eventFunction } from '../shared/event-function.ts';
import { Failures } from './catalog/failures.ts';
import { restorePartition } from './catalog/restore-catalog.ts';
import { isoTime } from './clock.ts';
import { recoveryContract } from './contract.ts';
import { compareRows } from './restore/engine/compare.ts';
import { loadObjects } from './restore/engine/load-objects.ts';
import { readPlan, requireRestoring, restoreConnection, restoreStores } from './restore/restore-parts.ts';

/** Loads one item of stored rows into the new database, or reads a part of it again to compare it. */
export const handler = eventFunction({
  contract: recoveryContract.functions['restore-rows'],
  handler: (environment) => {
    const stores = restoreStores(environment);
    const { restores, bucket, clock } = stores;
    return async (event, { log }) => {
      const { restoreId, shard: target, work } = event;
      const { name: shard, database } = target;
      const { item } = work;
      const notes = stores.notes(restoreId);
      const failures = new Failures(stores.table, restorePartition(restoreId));
      const rows = await failures.watch(`${shard}#${event.phase}#${item}`, async () => {
        const { keys } = await requireRestoring(restores, restoreId);
        const { tables, tenant } = await readPlan(bucket, target);
        const server = { ...stores, place: stores.placeOf(keys), connect: restoreConnection(target) };
        if (event.phase === 'load') {
          const startedAt = isoTime(clock.now());
          const loaded = await loadObjects(server, database, tables, event.work, tenant);
          const objects = event.work.objects.length;
          await notes.putLoaded({ shard, ...loaded, objects, startedAt, loadedAt: isoTime(clock.now()) });
          return loaded.rows;
        }
        const compared = await compareRows(server, database, tables, event.work, tenant);
        await notes.putCompared({ shard, item, tables: compared });
        return compared.reduce((sum, part) => sum + part.rows, 0);
      });
      log.info(event.phase === 'load' ? 'Rows loaded' : 'Rows compared', { restoreId, shard, item, rows });
      return { item, rows };
    };
  },
});
