import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { dynamo } from '../shared/clients.ts';
import { eventFunction, memberTraceparent } from '../shared/event-function.ts';
import { inputTraceparent } from '../shared/execution-trace.ts';
import { BackupCatalog } from './catalog/backup-catalog.ts';
import { Failures } from './catalog/failures.ts';
import { RecoveryTable } from './catalog/recovery-table.ts';
import { RestoreCatalog, restorePartition } from './catalog/restore-catalog.ts';
import { RestoreNotes } from './catalog/restore-notes.ts';
import { systemClock } from './clock.ts';
import { recoveryContract } from './contract.ts';
import type { RestoreId } from './ids.ts';
import { completeImportRestore, planImportRestore, restoreSegment } from './import/restore-import.ts';
import { readingManifests, readingPlaces } from './keys/reading.ts';

/** Restores an import: its manifest, its segments, and the dump that they make. */
export const handler = eventFunction({
  contract: recoveryContract.functions['restore-import'],
  traceparentOf: (event) => inputTraceparent(event) ?? memberTraceparent(event),
  handler: (environment) => {
    const table = new RecoveryTable(dynamo(), environment.RECOVERY_TABLE);
    const common = {
      restores: new RestoreCatalog(table),
      backups: new BackupCatalog(table),
      clock: systemClock,
    };
    const placeOf = readingPlaces(environment);
    const manifestsOf = readingManifests(environment);
    const openedFor = async (restoreId: RestoreId) => {
      const keys = (await common.restores.get(restoreId))?.keys ?? 'kms';
      const notes = new RestoreNotes(table, restoreId);
      return { ...common, notes, manifests: manifestsOf(keys), place: placeOf(keys) };
    };
    return async (event, { log, metrics, trace: { traceparent } }) => {
      if (event.phase === 'plan') {
        const { restoreId } = event.input;
        const deps = await openedFor(restoreId);
        const planned = await planImportRestore(deps, restoreId, event.executionArn);
        log.info('Restore of an import planned', { restoreId, backupId: planned.backupId });
        return { ...planned, traceparent };
      }
      const { restoreId } = event;
      const deps = await openedFor(restoreId);
      if (event.phase === 'segment') {
        const { index } = event.segment;
        const failures = new Failures(table, restorePartition(restoreId));
        await failures.watch(`segment#${index}`, () => restoreSegment(deps, event.target, event.segment));
        log.info('Segment restored', { restoreId, index });
        return { restoreId };
      }
      const { record, first } = await completeImportRestore(deps, restoreId, event.target);
      if (first && !record.dryRun) metrics.addMetric('RestoresCompleted', MetricUnit.Count, 1);
      log.info('Restore of an import completed', { restoreId, backupId: record.backupId });
      return { restoreId };
    };
  },
});
