import { gate } from '../access/gate.ts';
import { dynamo, lambda, presigningS3, scheduler, stepFunctions } from '../shared/clients.ts';
import { httpFunction } from '../shared/http-function.ts';
import type { HttpHandlers } from '../shared/http-handler.ts';
import { ShardReader } from '../shared/shards.ts';
import { adoptionHandlers } from './adoption/adoption-api.ts';
import { Adoptions } from './adoption/adoptions.ts';
import { automationHandlers } from './automation/automation-api.ts';
import { BackupSchedules } from './automation/backup-schedules.ts';
import { RuleStore } from './automation/rule-store.ts';
import { backupHandlers } from './backup-api.ts';
import { BackupCatalog } from './catalog/backup-catalog.ts';
import { OperationCatalog } from './catalog/operation-catalog.ts';
import { RecoveryTable } from './catalog/recovery-table.ts';
import { RestoreCatalog } from './catalog/restore-catalog.ts';
import { ShardLocks } from './catalog/shard-locks.ts';
import { systemClock } from './clock.ts';
import { recoveryContract } from './contract.ts';
import { drillHandlers } from './drill/drill-api.ts';
import { DrillCatalog } from './drill/drill-catalog.ts';
import { DrillLock } from './drill/drill-lock.ts';
import { importHandlers } from './import/import-api.ts';
import { restoreHandlers } from './restore/restore-api.ts';
import { stageHandlers } from './single-stages/stage-api.ts';
import { verificationHandlers } from './verification/verification-api.ts';

/** The API of backups, their verification and restores. */
export const handler = httpFunction({
  contract: recoveryContract,
  functionContract: recoveryContract.functions.api,
  gate,
  handlers: (environment): HttpHandlers<typeof recoveryContract> => {
    const table = new RecoveryTable(dynamo(), environment.RECOVERY_TABLE);
    const catalog = new BackupCatalog(table);
    const operations = new OperationCatalog(table);
    const drills = new DrillCatalog(table);
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
        defaultLockDays: environment.OBJECT_LOCK_DAYS,
        tenants: environment.TENANTS,
      }),
      ...automationHandlers({
        rules: new RuleStore(table),
        schedules: new BackupSchedules(scheduler(), {
          group: environment.SCHEDULE_GROUP,
          stateMachineArn: environment.BACKUP_STATE_MACHINE_ARN,
          roleArn: environment.SCHEDULE_ROLE_ARN,
        }),
        clock: systemClock,
      }),
      ...verificationHandlers({
        ...common,
        operations,
        stateMachineArn: environment.VERIFICATION_STATE_MACHINE_ARN,
        availableKeys: environment.KEY_SOURCES,
        stageStateMachineArn: environment.STAGE_STATE_MACHINE_ARN,
      }),
      ...stageHandlers({
        ...common,
        operations,
        stageStateMachineArn: environment.STAGE_STATE_MACHINE_ARN,
        reencryptionStateMachineArn: environment.REENCRYPTION_STATE_MACHINE_ARN,
        availableKeys: environment.KEY_SOURCES,
      }),
      ...adoptionHandlers({
        ...common,
        operations,
        adoptions: new Adoptions(table),
        reencryptionStateMachineArn: environment.REENCRYPTION_STATE_MACHINE_ARN,
        vault: environment.ADOPT_BUCKET,
      }),
      ...importHandlers({
        ...common,
        uploadPlace: { s3: presigningS3(), bucket: environment.BACKUPS_BUCKET },
      }),
      ...restoreHandlers({
        ...common,
        backups: catalog,
        restores: new RestoreCatalog(table),
        stateMachineArn: environment.RESTORE_STATE_MACHINE_ARN,
        availableKeys: environment.KEY_SOURCES,
        tenants: environment.TENANTS,
        importStateMachineArn: environment.IMPORT_RESTORE_STATE_MACHINE_ARN,
        pointInTimeStateMachineArn: environment.POINT_IN_TIME_STATE_MACHINE_ARN,
        lambda: lambda(),
        discardFunctionArn: environment.RESTORE_DATABASE_FUNCTION_ARN,
        discardPointInTimeFunctionArn: environment.DISCARD_POINT_IN_TIME_FUNCTION_ARN,
      }),
      ...drillHandlers({
        ...common,
        backups: catalog,
        drills,
        lock: new DrillLock(table, drills),
        availableKeys: environment.KEY_SOURCES,
        restores: new RestoreCatalog(table),
        stateMachineArn: environment.DRILL_STATE_MACHINE_ARN,
      }),
    };
  },
});
