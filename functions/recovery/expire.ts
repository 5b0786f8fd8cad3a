import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { Announcer } from '../shared/announcer.ts';
import { dynamo, eventBridge } from '../shared/clients.ts';
import { eventFunction } from '../shared/event-function.ts';
import { RuleStore } from './automation/rule-store.ts';
import { eventSource } from './bus-events.ts';
import { BackupCatalog } from './catalog/backup-catalog.ts';
import { RecoveryTable } from './catalog/recovery-table.ts';
import { RestoreCatalog } from './catalog/restore-catalog.ts';
import { isoTime, systemClock } from './clock.ts';
import { recoveryContract } from './contract.ts';
import { expireBackups } from './expiry/expire-backups.ts';

/** Marks backups as expired that nothing keeps any more. */
export const handler = eventFunction({
  contract: recoveryContract.functions.expire,
  handler: (environment) => {
    const table = new RecoveryTable(dynamo(), environment.RECOVERY_TABLE);
    const announcer = new Announcer(eventBridge(), environment.EVENT_BUS_NAME);
    return async (_event, { log, metrics, trace, remainingMs }) => {
      const result = await expireBackups({
        catalog: new BackupCatalog(table),
        restores: new RestoreCatalog(table),
        rules: new RuleStore(table),
        clock: systemClock,
        log,
        remainingMs,
        onExpired: ({ id, shards }) =>
          announcer.announce(eventSource, 'backup.expired', {
            version: 1,
            backupId: id,
            shards,
            at: isoTime(systemClock.now()),
            traceparent: trace.traceparent,
          }),
      });
      metrics.addMetric('BackupsExpired', MetricUnit.Count, result.expired.length);
      metrics.addMetric('ExpiryRefused', MetricUnit.Count, result.refused ? 1 : 0);
      log.info('Looked for backups to expire', { ...result });
      return result;
    };
  },
});
