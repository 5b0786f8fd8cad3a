import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { Announcer } from '../shared/announcer.ts';
import { dynamo, eventBridge, s3 } from '../shared/clients.ts';
import { eventFunction } from '../shared/event-function.ts';
import { eventSource } from './bus-events.ts';
import { RecoveryTable } from './catalog/recovery-table.ts';
import { RestoreCatalog } from './catalog/restore-catalog.ts';
import { RestoreNotes } from './catalog/restore-notes.ts';
import { isoTime, systemClock } from './clock.ts';
import { recoveryContract } from './contract.ts';
import { Bucket } from './objects/bucket.ts';
import { completeRestore } from './restore/complete-restore.ts';
import { judgeRestore } from './restore/judge.ts';

/** Whether what was restored is what was backed up; and, at the very end, that it is done. */
export const handler = eventFunction({
  contract: recoveryContract.functions['conclude-restore'],
  handler: (environment) => {
    const table = new RecoveryTable(dynamo(), environment.RECOVERY_TABLE);
    const bucket = new Bucket(s3(), environment.BACKUPS_BUCKET);
    const announcer = new Announcer(eventBridge(), environment.EVENT_BUS_NAME);
    return async ({ phase, restoreId, backupId, traceparent, shards }, { log, metrics }) => {
      const notes = new RestoreNotes(table, restoreId);
      if (phase === 'judge') {
        await judgeRestore({ notes, bucket }, shards);
        log.info('What was restored is what was backed up', { restoreId, backupId });
        return { restoreId };
      }
      const deps = { restores: new RestoreCatalog(table), notes, clock: systemClock };
      const { record, first } = await completeRestore(deps, restoreId);
      if (!first || record.dryRun || record.drill === true) return { restoreId };
      const durationMs = Date.parse(record.finishedAt ?? '') - Date.parse(record.startedAt ?? '');
      metrics.addMetric('RestoresCompleted', MetricUnit.Count, 1);
      metrics.addMetric('RestoreDurationMs', MetricUnit.Milliseconds, durationMs);
      log.info('Restore completed', { restoreId, backupId, durationMs, ...record.plan });
      await announcer.announce(eventSource, 'restore.completed', {
        version: 1,
        restoreId,
        backupId,
        shards: record.shards,
        at: record.finishedAt ?? isoTime(systemClock.now()),
        traceparent,
        mode: record.mode,
        databases: shards.map(({ database }) => database),
        durationMs,
        rows: record.plan?.rows ?? 0,
      });
      return { restoreId };
    };
  },
});
