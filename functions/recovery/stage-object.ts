import { dynamo, kms, s3 } from '../shared/clients.ts';
import { eventFunction } from '../shared/event-function.ts';
import { inputTraceparent } from '../shared/execution-trace.ts';
import { BackupCatalog } from './catalog/backup-catalog.ts';
import { OperationCatalog } from './catalog/operation-catalog.ts';
import { RecoveryTable } from './catalog/recovery-table.ts';
import { systemClock } from './clock.ts';
import { recoveryContract } from './contract.ts';
import { ManifestStore } from './manifest/manifest-store.ts';
import { Bucket } from './objects/bucket.ts';
import { runStage } from './single-stages/run-stage.ts';

/** One stage over one stored object. */
export const handler = eventFunction({
  contract: recoveryContract.functions['stage-object'],
  traceparentOf: inputTraceparent,
  handler: (environment) => {
    const table = new RecoveryTable(dynamo(), environment.RECOVERY_TABLE);
    const bucket = new Bucket(s3(), environment.BACKUPS_BUCKET);
    const common = {
      catalog: new BackupCatalog(table),
      operations: new OperationCatalog(table),
      manifests: new ManifestStore(bucket, kms(), environment.HMAC_KEY_ARN),
      bucket,
      kms: kms(),
      keyArn: environment.ENCRYPTION_KEY_ARN,
      clock: systemClock,
    };
    return async ({ operationId, executionArn, input }, { log, remainingMs }) => {
      await runStage({ ...common, remainingMs }, operationId, executionArn, input);
      log.info('Stage completed', { operationId, kind: input.stage.kind });
      return { operationId };
    };
  },
});
