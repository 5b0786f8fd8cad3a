import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { dynamo } from '../shared/clients.ts';
import { eventFunction } from '../shared/event-function.ts';
import { BackupCatalog } from './catalog/backup-catalog.ts';
import { OperationCatalog } from './catalog/operation-catalog.ts';
import { RecoveryTable } from './catalog/recovery-table.ts';
import { systemClock } from './clock.ts';
import { recoveryContract } from './contract.ts';
import { concludeVerification } from './verification/conclude-verification.ts';

/** Last state of the verification workflow. */
export const handler = eventFunction({
  contract: recoveryContract.functions['conclude-verification'],
  handler: (environment) => {
    const table = new RecoveryTable(dynamo(), environment.RECOVERY_TABLE);
    const deps = {
      operations: new OperationCatalog(table),
      catalog: new BackupCatalog(table),
      clock: systemClock,
    };
    return async ({ operationId, backupId }, { log, metrics }) => {
      const { rehearsal, ...result } = await concludeVerification(deps, operationId);
      metrics.addMetric('VerificationsCompleted', MetricUnit.Count, 1);
      if (!rehearsal) metrics.addMetric('VerificationFindings', MetricUnit.Count, result.findings);
      log.info('Verification completed', { backupId, operationId, ...result });
      return { operationId, ...result };
    };
  },
});
