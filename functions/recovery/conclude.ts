import { MetricUnit } from '@aws-lambda-powertools/metrics';
import type * as z from 'zod';
import { Announcer } from '../shared/announcer.ts';
import { dynamo, eventBridge, lambda } from '../shared/clients.ts';
import { eventFunction } from '../shared/event-function.ts';
import { inputTraceparent, reportTraceparent } from '../shared/execution-trace.ts';
import { sweepStarter } from './backup-requests.ts';
import { eventSource } from './bus-events.ts';
import { BackupCatalog, backupPartition } from './catalog/backup-catalog.ts';
import type { BackupRecord } from './catalog/backup-record.ts';
import { ChunkCatalog } from './catalog/chunk-catalog.ts';
import { ComponentCatalog } from './catalog/component-catalog.ts';
import { Failures } from './catalog/failures.ts';
import { OperationCatalog, operationPartition } from './catalog/operation-catalog.ts';
import { RecoveryTable } from './catalog/recovery-table.ts';
import { RestoreCatalog, restorePartition } from './catalog/restore-catalog.ts';
import type { RestoreRecord } from './catalog/restore-record.ts';
import { ShardLocks } from './catalog/shard-locks.ts';
import { SnapshotStore } from './catalog/snapshot-store.ts';
import { isoTime, systemClock } from './clock.ts';
import {
  concludeBackup,
  type ExecutionEnd,
  endOfReport,
  failureOfExecution,
  parseJson,
} from './conclude-backup.ts';
import { recoveryContract } from './contract.ts';
import { backupIdSchema, operationIdSchema } from './ids.ts';
import { restoreInputSchema } from './restore/events.ts';
import { failRestore } from './restore/fail-restore.ts';
import { discardStarter } from './restore/requests.ts';
import { failOperation } from './verification/conclude-verification.ts';
import type { concludeEventSchema } from './workflow.ts';

/** Ends what an execution leaves behind that did not end well: a backup, a verification or a restore. */
export const handler = eventFunction({
  contract: recoveryContract.functions.conclude,
  traceparentOf: (event) => reportTraceparent(event) ?? inputTraceparent(event),
  handler: (environment) => {
    const table = new RecoveryTable(dynamo(), environment.RECOVERY_TABLE);
    const catalog = new BackupCatalog(table);
    const operations = new OperationCatalog(table);
    const announcer = new Announcer(eventBridge(), environment.EVENT_BUS_NAME);

    const announce = async (record: BackupRecord): Promise<void> => {
      const { id: backupId, shards, finishedAt, traceparent, error } = record;
      const common = {
        version: 1 as const,
        backupId,
        shards,
        at: finishedAt ?? isoTime(systemClock.now()),
        traceparent,
      };
      if (record.state === 'canceled') await announcer.announce(eventSource, 'backup.canceled', common);
      else if (error !== undefined)
        await announcer.announce(eventSource, 'backup.failed', { ...common, error });
    };

    const announceRestore = async (record: RestoreRecord): Promise<void> => {
      const { id: restoreId, backupId = null, shards, finishedAt, traceparent, error } = record;
      const at = finishedAt ?? isoTime(systemClock.now());
      const common = { version: 1 as const, restoreId, backupId, shards, at, traceparent };
      if (record.state === 'canceled') await announcer.announce(eventSource, 'restore.canceled', common);
      else if (error !== undefined)
        await announcer.announce(eventSource, 'restore.failed', { ...common, error });
    };

    return async (event, { log, metrics, trace }) => {
      const end = endOf(event);
      const restore = await findRestore(new RestoreCatalog(table), event);
      if (restore !== undefined) {
        const ended = await failRestore(
          {
            restores: new RestoreCatalog(table),
            failures: new Failures(table, restorePartition(restore.id)),
            startDiscard: discardStarter(
              lambda(),
              restore.pointInTime === undefined
                ? environment.RESTORE_DATABASE_FUNCTION_ARN
                : environment.DISCARD_POINT_IN_TIME_FUNCTION_ARN,
              trace.traceparent,
            ),
            clock: systemClock,
          },
          restore,
          end,
        );
        if (ended === undefined) return { outcome: 'nothing-to-do' };
        const outcome = ended.state === 'failed' ? 'failed' : 'canceled';
        // Its drill tells.
        if (ended.drill === true) return { outcome };
        if (outcome === 'failed' && !ended.dryRun) metrics.addMetric('RestoresFailed', MetricUnit.Count, 1);
        log.warn('Restore ended', { restoreId: ended.id, state: ended.state, error: ended.error });
        await announceRestore(ended);
        return { outcome };
      }
      const operation = await operations.get(operationIdSchema.parse(end.name));
      if (operation !== undefined) {
        const failures = new Failures(table, operationPartition(operation.id));
        const outcome = await failOperation(
          { operations, catalog, failures, clock: systemClock },
          operation,
          end,
        );
        return { outcome };
      }
      const record = await catalog.get(backupIdSchema.parse(end.name));
      if (record === undefined) {
        // Nothing to show it in: the alarm has to tell.
        if (!end.aborted) metrics.addMetric('BackupsFailed', MetricUnit.Count, 1);
        log.error('An execution ended before its backup was noted', { name: end.name, ...end.failure });
        return { outcome: 'nothing-to-do' };
      }
      const ended = await concludeBackup(
        {
          catalog,
          chunks: new ChunkCatalog(table, record.id),
          components: new ComponentCatalog(table, record.id),
          failures: new Failures(table, backupPartition(record.id)),
          locks: new ShardLocks(table, catalog),
          snapshot: (shard) => new SnapshotStore(table, record.id, shard),
          startSweep: sweepStarter(lambda(), environment.SWEEP_FUNCTION_ARN, trace.traceparent),
          clock: systemClock,
        },
        record,
        end,
      );
      if (ended === undefined) return { outcome: 'nothing-to-do' };
      if (ended.state === 'failed') metrics.addMetric('BackupsFailed', MetricUnit.Count, 1);
      log.warn('Backup ended', { backupId: ended.id, state: ended.state, error: ended.error });
      await announce(ended);
      return { outcome: ended.state };
    };
  },
});

/** A restore's executions are told by their input: a resumed one has another name. */
async function findRestore(
  restores: RestoreCatalog,
  event: z.output<typeof concludeEventSchema>,
): Promise<RestoreRecord | undefined> {
  const input = 'detail' in event ? parseJson(event.detail.input ?? '') : event.input;
  const { data } = restoreInputSchema.safeParse(input);
  return data === undefined ? undefined : restores.get(data.restoreId);
}

function endOf(event: z.output<typeof concludeEventSchema>): ExecutionEnd {
  if ('detail' in event) return endOfReport(event);
  const { executionName, error } = event;
  return { name: executionName, aborted: false, failure: failureOfExecution(error.Error, error.Cause) };
}
