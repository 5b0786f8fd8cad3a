import { Construct } from 'constructs';
import { recoveryContract } from '../../functions/recovery/contract.ts';
import type { Access } from '../access/access.ts';
import type { DeadLetters } from '../constructs/dead-letters.ts';
import type { EventBus } from '../constructs/event-bus.ts';
import type { FunctionSettings } from '../constructs/function.ts';
import type { HttpApi } from '../constructs/http-api.ts';
import type { Notifications } from '../constructs/notifications.ts';
import { Workflow } from '../constructs/workflow.ts';
import type { Vault } from '../standby/vault.ts';
import type { StatefulStack } from '../stateful-stack.ts';
import { addAlarms } from './alarms.ts';
import { backupDefinition } from './backup-workflow.ts';
import { grantComponents } from './component-grants.ts';
import { addDrillAlarms } from './drill-alarms.ts';
import { grantDrills } from './drill-grants.ts';
import { addDrillTriggers } from './drill-triggers.ts';
import { drillDefinition } from './drill-workflow.ts';
import { createFunctions, type RecoveryFunctions } from './functions.ts';
import { grantAll } from './grants.ts';
import { Imports } from './imports.ts';
import { grantOtherKeys } from './key-grants.ts';
import { PointInTime } from './point-in-time.ts';
import { Reencryption } from './reencryption.ts';
import { restoreDefinition } from './restore-workflow.ts';
import { addTriggers } from './triggers.ts';
import { verificationDefinition } from './verification-workflow.ts';

export interface RecoveryProps {
  settings: FunctionSettings;
  stateful: StatefulStack;
  access: Access;
  api: HttpApi;
  events: EventBus;
  deadLetters: DeadLetters;
  notifications: Notifications;
  /** Where backups are copied to, where there is a second region. */
  standby?: { readonly region: string; readonly vault: Vault };
}

/** Backups that are taken, proved, listed, restored and removed. */
export class Recovery extends Construct {
  readonly functions: RecoveryFunctions;
  readonly backups: Workflow;
  readonly verifications: Workflow;
  readonly restores: Workflow;
  readonly drills: Workflow;
  readonly imports: Imports;
  readonly pointInTime: PointInTime;
  readonly reencryption: Reencryption;

  constructor(scope: Construct, id: string, props: RecoveryProps) {
    super(scope, id);
    const { settings, stateful } = props;
    const { environment, config } = settings;
    this.functions = createFunctions(this, settings, stateful.network, props.deadLetters);

    const {
      plan,
      release,
      commit,
      conclude,
      'hold-snapshot': holdSnapshot,
      'dump-schema': dumpSchema,
      'plan-chunks': planChunks,
      'chunk-pipeline': chunkPipeline,
      'verify-chunk': verifyChunk,
      'plan-verification': planVerification,
      'conclude-verification': concludeVerification,
      'plan-restore': planRestore,
      'restore-database': restoreDatabase,
      'restore-rows': restoreRows,
      'conclude-restore': concludeRestore,
      'plan-files': planFiles,
      'copy-files': copyFiles,
      'restore-files': restoreFiles,
      'dump-configuration': dumpConfiguration,
      'plan-drill': planDrill,
      'check-drill': checkDrill,
      'conclude-drill': concludeDrill,
    } = this.functions;

    this.backups = new Workflow(this, 'BackupWorkflow', {
      environment,
      config,
      name: 'backup',
      definition: backupDefinition(this.functions, config, stateful.keys.encryption.keyArn),
      functions: [
        ...[plan, holdSnapshot, dumpSchema, planChunks, chunkPipeline, verifyChunk],
        ...[release, commit, conclude, planFiles, copyFiles, dumpConfiguration],
      ],
    });
    this.backups.allow(['kms:GenerateDataKeyWithoutPlaintext'], [stateful.keys.encryption.keyArn]);
    this.verifications = new Workflow(this, 'VerificationWorkflow', {
      environment,
      config,
      name: 'verification',
      definition: verificationDefinition(this.functions, config),
      functions: [planVerification, verifyChunk, concludeVerification, conclude],
    });
    this.restores = new Workflow(this, 'RestoreWorkflow', {
      environment,
      config,
      name: 'restore',
      definition: restoreDefinition(this.functions, config, this.backups.arn),
      functions: [
        ...[planRestore, restoreDatabase, restoreRows, concludeRestore, conclude],
        ...[restoreFiles, dumpConfiguration],
      ],
    });
    this.backups.grantRunFrom(this.restores);
    this.drills = new Workflow(this, 'DrillWorkflow', {
      environment,
      config,
      name: 'drill',
      definition: drillDefinition(this.functions, config, {
        restore: this.restores.arn,
        verification: this.verifications.arn,
      }),
      functions: [planDrill, checkDrill, concludeDrill, restoreDatabase],
    });
    this.restores.grantRunFrom(this.drills);
    this.verifications.grantRunFrom(this.drills);
    for (const workflow of [this.backups, this.verifications, this.restores]) {
      stateful.buckets.backups.grantReadItems(workflow);
    }
    this.imports = new Imports(this, 'Imports', this.functions, props);
    this.pointInTime = new PointInTime(this, 'PointInTimeRestores', this.functions, props);
    this.reencryption = new Reencryption(this, 'Reencryption', this.functions, props);
    grantAll(this, props);
    grantOtherKeys(this, props);
    grantComponents(this, props);
    grantDrills(this, props);
    props.api.addRoutes(recoveryContract, this.functions.api);
    addTriggers(this, this, props);
    addAlarms(this, this, props);
    addDrillTriggers(this, this, props);
    addDrillAlarms(this, this, props);
  }
}
