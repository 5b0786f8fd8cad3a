import { randomInt } from 'node:crypto';
import { dynamo, s3 } from '../shared/clients.ts';
import { eventFunction } from '../shared/event-function.ts';
import { inputTraceparent } from '../shared/execution-trace.ts';
import { ShardReader } from '../shared/shards.ts';
import { BackupCatalog } from './catalog/backup-catalog.ts';
import { OperationCatalog } from './catalog/operation-catalog.ts';
import { RecoveryTable } from './catalog/recovery-table.ts';
import { RestoreCatalog } from './catalog/restore-catalog.ts';
import { systemClock } from './clock.ts';
import { recoveryContract } from './contract.ts';
import { DrillCatalog } from './drill/drill-catalog.ts';
import { DrillLock } from './drill/drill-lock.ts';
import { planDrill } from './drill/plan-drill.ts';
import { DrillSkippedError } from './errors.ts';
import { readingManifests } from './keys/reading.ts';
import { Bucket } from './objects/bucket.ts';

/** Kept back to note what was found, in milliseconds. */
const endMs = 20_000;

/** First state of the drill workflow: which backup is restored, and whether its hashes are compared before. */
export const handler = eventFunction({
  contract: recoveryContract.functions['plan-drill'],
  traceparentOf: inputTraceparent,
  handler: (environment) => {
    const table = new RecoveryTable(dynamo(), environment.RECOVERY_TABLE);
    const bucket = new Bucket(s3(), environment.BACKUPS_BUCKET);
    const shards = new ShardReader(dynamo(), environment.SHARDS_TABLE);
    const manifestsOf = readingManifests(environment);
    return async (event, { log, trace, remainingMs }) => {
      const drills = new DrillCatalog(table);
      const planned = await planDrill(
        {
          drills,
          lock: new DrillLock(table, drills),
          backups: new BackupCatalog(table),
          restores: new RestoreCatalog(table),
          operations: new OperationCatalog(table),
          manifestsOf,
          bucket,
          listShards: () => shards.list(),
          clock: systemClock,
          pick: (below) => randomInt(below),
          hasTime: () => remainingMs() > endMs,
          traceparent: trace.traceparent,
          stateMachines: {
            restore: environment.RESTORE_STATE_MACHINE_ARN,
            verification: environment.VERIFICATION_STATE_MACHINE_ARN,
          },
        },
        event,
      ).catch((error) => {
        if (error instanceof DrillSkippedError) log.warn('Drill skipped', { reason: error.message });
        throw error;
      });
      const { drillId, backupId, verify } = planned;
      log.info('Drill planned', { drillId, backupId, verify });
      return planned;
    };
  },
});
