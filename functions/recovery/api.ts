import { gate } from '../access/gate.ts';
import { dynamo, lambda, stepFunctions } from '../shared/clients.ts';
import { httpFunction } from '../shared/http-function.ts';
import type { HttpHandlers } from '../shared/http-handler.ts';
import { ShardReader } from '../shared/shards.ts';
import { backupHandlers } from './backup-api.ts';
import { BackupCatalog } from './catalog/backup-catalog.ts';
import { OperationCatalog } from './catalog/operation-catalog.ts';
import { RecoveryTable } from './catalog/recovery-table.ts';
import { RestoreCatalog } from './catalog/restore-catalog.ts';
import { ShardLocks } from './catalog/shard-locks.ts';
import { systemClock } from './clock.ts';
import { recoveryContract } from './contract.ts';
import { restoreHandlers } from './restore/restore-api.ts';
import { verificationHandlers } from './verification/verification-api.ts';

/** The API of backups, their verification and restores. */
export const handler = httpFunction({
  contract: recoveryContract,
  functionContract: recoveryContract.functions.api,
  gate,
  handlers: (environment): HttpHandlers<typeof recoveryContract> => {
    const table = new RecoveryTable(dynamo(), environment.RECOVERY_TABLE);
    const catalog = new BackupCatalog(table);
    const shards = new ShardReader(dynamo(), environment.SHARDS_TABLE);
    const common = {
      table,
      catalog,
      stepFunctions: stepFunctions(),
      clock: systemClock,
    };
    return {
      ...backupHandlers({
        ...common,
        locks: new ShardLocks(table, catalog),
        listShards: () => shards.list(),
        stateMachineArn: environment.BACKUP_STATE_MACHINE_ARN,
        lambda: lambda(),
        sweepFunctionArn: environment.SWEEP_FUNCTION_ARN,
      }),
      ...verificationHandlers({
        ...common,
        operations: new OperationCatalog(table),
        stateMachineArn: environment.VERIFICATION_STATE_MACHINE_ARN,
      }),
      ...restoreHandlers({
        ...common,
        backups: catalog,
        restores: new RestoreCatalog(table),
        stateMachineArn: environment.RESTORE_STATE_MACHINE_ARN,
        lambda: lambda(),
        discardFunctionArn: environment.RESTORE_DATABASE_FUNCTION_ARN,
      }),
    };
  },
});
