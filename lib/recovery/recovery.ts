import { Construct } from 'constructs';
import { recoveryContract } from '../../functions/recovery/contract.ts';
import type { Access } from '../access/access.ts';
import type { DeadLetters } from '../constructs/dead-letters.ts';
import type { EventBus } from '../constructs/event-bus.ts';
import type { FunctionSettings } from '../constructs/function.ts';
import type { HttpApi } from '../constructs/http-api.ts';
import type { Notifications } from '../constructs/notifications.ts';
import { Workflow } from '../constructs/workflow.ts';
import type { StatefulStack } from '../stateful-stack.ts';
import { addAlarms } from './alarms.ts';
import { backupDefinition } from './backup-workflow.ts';
import { createFunctions, type RecoveryFunctions } from './functions.ts';
import { grantAll } from './grants.ts';
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
}

/** Backups that are taken, proved, listed, restored and removed. */
export class Recovery extends Construct {
  readonly functions: RecoveryFunctions;
  readonly backups: Workflow;
  readonly verifications: Workflow;
  readonly restores: Workflow;

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
    } = this.functions;

    this.backups = new Workflow(this, 'BackupWorkflow', {
      environment,
      config,
      name: 'backup',
      definition: backupDefinition(this.functions, config, stateful.keys.encryption.keyArn),
      functions: [
        ...[plan, holdSnapshot, dumpSchema, planChunks, chunkPipeline, verifyChunk],
        ...[release, commit, conclude],
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
      functions: [planRestore, restoreDatabase, restoreRows, concludeRestore, conclude],
    });
    this.backups.grantRunFrom(this.restores);
    for (const workflow of [this.backups, this.verifications, this.restores]) {
      stateful.buckets.backups.grantReadItems(workflow);
    }
    grantAll(this, props);
    props.api.addRoutes(recoveryContract, this.functions.api);
    addTriggers(this, this, props.deadLetters);
    addAlarms(this, this, props);
  }
}
