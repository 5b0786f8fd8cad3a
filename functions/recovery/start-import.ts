import { dynamo, stepFunctions } from '../shared/clients.ts';
import { eventFunction } from '../shared/event-function.ts';
import { BackupCatalog } from './catalog/backup-catalog.ts';
import { RecoveryTable } from './catalog/recovery-table.ts';
import { recoveryContract } from './contract.ts';
import { startOnUpload } from './import/start-on-upload.ts';

/** Starts the import of what was uploaded. */
export const handler = eventFunction({
  contract: recoveryContract.functions['start-import'],
  handler: (environment) => {
    const catalog = new BackupCatalog(new RecoveryTable(dynamo(), environment.RECOVERY_TABLE));
    const stateMachineArn = environment.IMPORT_STATE_MACHINE_ARN;
    return async (event, { log }) => {
      const deps = { catalog, stepFunctions: stepFunctions(), stateMachineArn };
      const outcome = await startOnUpload(deps, event);
      log.info('Uploaded', { key: event.detail.object.key, outcome });
      return { outcome };
    };
  },
});
