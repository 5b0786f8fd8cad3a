import { databaseUsers } from '../../lib/constants.ts';
import { dynamo, s3 } from '../shared/clients.ts';
import { connect, wakeUpMs } from '../shared/database.ts';
import { eventFunction } from '../shared/event-function.ts';
import { newId } from '../shared/ids.ts';
import { ShardReader } from '../shared/shards.ts';
import { shardsContract } from './contract.ts';
import { archiver } from './maintenance/archive-rows.ts';
import { maintainShard } from './maintenance/maintain-shard.ts';
import { MaintenanceStore } from './maintenance/maintenance-store.ts';
import { unfinishedOf } from './maintenance/unfinished.ts';

/** Looks all shards through for what they need, at the same time; does it where the deployment wants that, and keeps a report. */
export const handler = eventFunction({
  contract: shardsContract.functions.maintain,
  handler: ({ SHARDS_TABLE, BACKUPS_BUCKET, MAINTENANCE: settings }) => {
    const store = new MaintenanceStore(dynamo(), SHARDS_TABLE);
    const archive = archiver(s3(), BACKUPS_BUCKET);
    return async (_, { log, metrics, remainingMs }) => {
      const shards = await new ShardReader(dynamo(), SHARDS_TABLE).list();
      const now = () => new Date();
      const began = Date.now();
      const parts = {
        ...{ archive, settings, now, run: newId(), until: began + settings.minutes * 60_000 },
        // Time to write the report.
        end: began + remainingMs() - 30_000,
        open: ({ writer, database }: Pick<(typeof shards)[number], 'writer' | 'database'>) =>
          connect({ ...writer, database, user: databaseUsers.maintain, connectTimeoutMs: wakeUpMs }),
      };
      const reports = await Promise.all(shards.map((shard) => maintainShard(shard, parts)));
      await Promise.all(reports.map((report) => store.put(report)));
      const unfinished = reports.flatMap(unfinishedOf);
      metrics.addMetric('MaintenanceFailures', 'Count', unfinished.length);
      if (unfinished.length > 0) log.warn('Maintenance could not do all that it was to do', { unfinished });
      return { shards: reports };
    };
  },
});
