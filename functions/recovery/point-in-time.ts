import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { Announcer } from '../shared/announcer.ts';
import { dynamo, eventBridge, rds, s3 } from '../shared/clients.ts';
import { eventFunction } from '../shared/event-function.ts';
import { inputTraceparent } from '../shared/execution-trace.ts';
import { ShardReader } from '../shared/shards.ts';
import { eventSource } from './bus-events.ts';
import { RecoveryTable } from './catalog/recovery-table.ts';
import { RestoreCatalog } from './catalog/restore-catalog.ts';
import { RestoreNotes } from './catalog/restore-notes.ts';
import { isoTime, systemClock } from './clock.ts';
import { recoveryContract } from './contract.ts';
import { Bucket } from './objects/bucket.ts';
import { cutOver } from './restore/point-in-time/cut-over.ts';
import { completePointInTime, cutOverAll } from './restore/point-in-time/end.ts';
import { findRestored } from './restore/point-in-time/find.ts';
import { planPointInTime } from './restore/point-in-time/plan.ts';

/** What a restore to a point in time decides and notes; Step Functions itself makes the clusters. */
export const handler = eventFunction({
  contract: recoveryContract.functions['point-in-time'],
  traceparentOf: inputTraceparent,
  handler: (environment) => {
    const table = new RecoveryTable(dynamo(), environment.RECOVERY_TABLE);
    const restores = new RestoreCatalog(table);
    const bucket = new Bucket(s3(), environment.BACKUPS_BUCKET);
    const announcer = new Announcer(eventBridge(), environment.EVENT_BUS_NAME);
    const clock = systemClock;
    return async (event, { log, metrics, trace }) => {
      const restoreId = event.phase === 'plan' ? event.input.restoreId : event.restoreId;
      const notes = new RestoreNotes(table, restoreId);
      const shards = new ShardReader(dynamo(), environment.SHARDS_TABLE);
      switch (event.phase) {
        case 'plan': {
          const deps = { restores, notes, bucket, clock, rds: rds(), listShards: () => shards.list() };
          const prefix = environment.RESTORED_CLUSTER_PREFIX;
          const planned = await planPointInTime({ ...deps, prefix }, restoreId, event.executionArn);
          log.info('Restore to a point in time planned', { restoreId, clusters: planned.clusters });
          return { ...planned, bucket: bucket.name, traceparent: trace.traceparent };
        }
        case 'find':
          return findRestored({ rds: rds(), notes }, event.shard);
        case 'cut-over':
          await cutOverAll({ restores, notes, clock }, restoreId, (cluster, at) =>
            cutOver(dynamo(), environment.SHARDS_TABLE, cluster, { restoreId, at }),
          );
          log.info('The platform works with the restored clusters', { restoreId });
          return { restoreId };
        case 'complete': {
          const { record, clusters, first } = await completePointInTime(
            { restores, notes, clock },
            restoreId,
          );
          if (!first || record.dryRun) return { restoreId };
          const durationMs = Date.parse(record.finishedAt ?? '') - Date.parse(record.startedAt ?? '');
          metrics.addMetric('RestoresCompleted', MetricUnit.Count, 1);
          metrics.addMetric('RestoreDurationMs', MetricUnit.Milliseconds, durationMs);
          log.info('Restore completed', { restoreId, durationMs, pointInTime: record.pointInTime });
          await announcer.announce(eventSource, 'restore.completed', {
            version: 1,
            restoreId,
            backupId: null,
            shards: record.shards,
            at: record.finishedAt ?? isoTime(clock.now()),
            traceparent: event.traceparent,
            mode: record.mode,
            databases: [],
            durationMs,
            rows: 0,
            clusters: clusters.map(({ identifier }) => identifier),
          });
          return { restoreId };
        }
        default:
          return event satisfies never;
      }
    };
  },
});
