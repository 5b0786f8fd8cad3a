import { dynamo, s3 } from '../shared/clients.ts';
import { eventFunction } from '../shared/event-function.ts';
import { inputTraceparent } from '../shared/execution-trace.ts';
import { BackupCatalog } from './catalog/backup-catalog.ts';
import { OperationCatalog } from './catalog/operation-catalog.ts';
import { RecoveryTable } from './catalog/recovery-table.ts';
import { recoveryContract } from './contract.ts';
import { readingManifests } from './keys/reading.ts';
import { Bucket } from './objects/bucket.ts';
import { planVerification } from './verification/plan-verification.ts';

/** First state of the verification workflow: the manifest, and what it lists. */
export const handler = eventFunction({
  contract: recoveryContract.functions['plan-verification'],
  traceparentOf: inputTraceparent,
  handler: (environment) => {
    const table = new RecoveryTable(dynamo(), environment.RECOVERY_TABLE);
    const bucket = new Bucket(s3(), environment.BACKUPS_BUCKET);
    const deps = {
      catalog: new BackupCatalog(table),
      operations: new OperationCatalog(table),
      bucket,
    };
    const manifestsOf = readingManifests(environment);
    return async (event, { trace }) => {
      const { backupId, mode, keys } = event.input;
      const planned = await planVerification({ ...deps, manifests: manifestsOf(keys) }, event);
      const { operationId } = event;
      return { backupId, traceparent: trace.traceparent, operationId, mode, keys, ...planned };
    };
  },
});
