import { type Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type * as z from 'zod';
import { Announcer } from '../shared/announcer.ts';
import { dynamo, eventBridge, lambda, s3, stepFunctions } from '../shared/clients.ts';
import { eventFunction } from '../shared/event-function.ts';
import { inputTraceparent, reportTraceparent } from '../shared/execution-trace.ts';
import { eventSource } from './bus-events.ts';
import { OperationCatalog } from './catalog/operation-catalog.ts';
import { RecoveryTable } from './catalog/recovery-table.ts';
import { RestoreCatalog } from './catalog/restore-catalog.ts';
import { RestoreNotes } from './catalog/restore-notes.ts';
import { isoTime, systemClock } from './clock.ts';
import { endOfReport, failureOfExecution } from './conclude-backup.ts';
import { recoveryContract } from './contract.ts';
import { cleanUp } from './drill/clean-up.ts';
import { DrillCatalog } from './drill/drill-catalog.ts';
import type { DrillRecord } from './drill/drill-record.ts';
import { type DrillEnd, endDrill } from './drill/end-drill.ts';
import type { concludeDrillEventSchema } from './drill/events.ts';
import { type DrillId, drillIdOf, restoreOf } from './drill/ids.ts';
import { requireIntact } from './drill/require-intact.ts';
import { Bucket } from './objects/bucket.ts';
import { discardStarter } from './restore/requests.ts';

const minute = 60_000;

/** What comes after a drill's checks, or in their place: cleaning up, the report, the measured times. */
export const handler = eventFunction({
  contract: recoveryContract.functions['conclude-drill'],
  traceparentOf: (event) => reportTraceparent(event) ?? inputTraceparent(event),
  handler: (environment) => {
    const table = new RecoveryTable(dynamo(), environment.RECOVERY_TABLE);
    const drills = new DrillCatalog(table);
    const operations = new OperationCatalog(table);
    const restores = new RestoreCatalog(table);
    const announcer = new Announcer(eventBridge(), environment.EVENT_BUS_NAME);
    const common = { drills, restores, operations, clock: systemClock };
    const clean = (id: DrillId) => cleanUp({ ...common, stepFunctions: stepFunctions() }, id);

    const announce = async (record: DrillRecord, traceparent: string): Promise<void> => {
      const { id: drillId, backupId = null, shards = [], finishedAt, error } = record;
      const at = finishedAt ?? isoTime(systemClock.now());
      const about = { version: 1 as const, drillId, backupId, shards, at, traceparent };
      const measured = { rpoMs: record.rpo?.rpoMs ?? null, rtoMs: record.rtoMs ?? null };
      const reportKey = record.report?.key ?? null;
      if (record.state === 'completed') {
        await announcer.announce(eventSource, 'drill.completed', { ...about, ...measured, reportKey });
      } else if (error !== undefined) {
        await announcer.announce(eventSource, 'drill.failed', { ...about, ...measured, reportKey, error });
      }
    };

    return async (event, { log, metrics, trace }) => {
      const { traceparent } = trace;
      const nothing = { outcome: 'nothing-to-do', traceparent } as const;
      if (!('detail' in event) && event.phase === 'watch') {
        const hours = (systemClock.now() - (await drills.lastCompleted())) / (60 * minute);
        metrics.addMetric('HoursSinceDrill', MetricUnit.Count, Math.max(0, hours));
        return { ...nothing, drillId: null };
      }
      if (!('detail' in event) && event.phase === 'verified') {
        await requireIntact(operations, event.drillId);
        await drills.setStage(event.drillId, 'restore', isoTime(systemClock.now()));
        return { ...nothing, drillId: event.drillId };
      }
      const drillId = drillIdOf('detail' in event ? event.detail.name : event.executionName);
      if (!('detail' in event) && event.phase === 'clean') {
        await clean(drillId);
        return { ...nothing, drillId };
      }
      const record = await drills.get(drillId);
      if ('detail' in event) {
        await clean(drillId);
        const start = discardStarter(lambda(), environment.RESTORE_DATABASE_FUNCTION_ARN, traceparent);
        // Should that be lost, the next scheduled run finds what is left.
        if (record?.backupId !== undefined) await start(restoreOf(drillId)).catch(() => undefined);
      }
      if (record === undefined) {
        // Nothing to show it in: the alarm has to tell.
        const end = endOf(event);
        if (!end.aborted) metrics.addMetric('DrillsFailed', MetricUnit.Count, 1);
        log.error('An execution ended before its drill was noted', { drillId, ...end.failure });
        return { ...nothing, drillId };
      }
      const ended = await endDrill(
        {
          ...common,
          notes: new RestoreNotes(table, restoreOf(drillId)),
          bucket: new Bucket(s3(), environment.BACKUPS_BUCKET),
          keyArn: environment.ENCRYPTION_KEY_ARN,
          rpoTargetMs: environment.RPO_TARGET_MINUTES * minute,
          rtoTargetMs: environment.RTO_TARGET_MINUTES * minute,
          onNotStored: (error) => log.warn('The report was not stored in the bucket', { drillId, error }),
        },
        record,
        endOf(event),
      );
      if (ended === undefined) return { ...nothing, drillId };
      measure(metrics, ended);
      const { state, error, rtoMs, rpo } = ended;
      log.info('Drill ended', { drillId, state, error, rtoMs, rpoMs: rpo?.rpoMs });
      await announce(ended, traceparent);
      return { drillId, outcome: state, traceparent };
    };
  },
});

function measure(metrics: Metrics, { state, rpo, rtoMs }: DrillRecord): void {
  if (state === 'completed') metrics.addMetric('DrillsCompleted', MetricUnit.Count, 1);
  if (state === 'failed') metrics.addMetric('DrillsFailed', MetricUnit.Count, 1);
  const rpoMs = rpo?.rpoMs ?? null;
  if (rpoMs !== null) metrics.addMetric('DrillRpoSeconds', MetricUnit.Seconds, rpoMs / 1000);
  if (rtoMs !== undefined) metrics.addMetric('DrillRtoSeconds', MetricUnit.Seconds, rtoMs / 1000);
}

type Event = z.output<typeof concludeDrillEventSchema>;

function endOf(event: Extract<Event, { detail: object } | { removed: boolean }>): DrillEnd {
  if ('detail' in event) return { removed: false, ...endOfReport(event) };
  if (event.phase === 'conclude') return { removed: event.removed, aborted: false, failure: undefined };
  const { removed, error } = event;
  return { removed, aborted: false, failure: failureOfExecution(error.Error, error.Cause) };
}
