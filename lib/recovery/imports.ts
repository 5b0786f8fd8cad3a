import * as events from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { Construct } from 'constructs';
import { Workflow } from '../constructs/workflow.ts';
import type { RecoveryFunctions } from './functions.ts';
import { importRestoreDefinition } from './import-restore-workflow.ts';
import { importDefinition } from './import-workflow.ts';
import type { RecoveryProps } from './recovery.ts';
import { stageDefinition } from './stage-workflow.ts';

/** Dumps that were made elsewhere, and the single stages: their workflows, and what starts them. */
export class Imports extends Construct {
  readonly imports: Workflow;
  readonly restores: Workflow;
  readonly stages: Workflow;

  constructor(scope: Construct, id: string, functions: RecoveryFunctions, props: RecoveryProps) {
    super(scope, id);
    const { environment, config } = props.settings;
    const {
      conclude,
      'plan-import': planImport,
      'import-segment': importSegment,
      'digest-upload': digestUpload,
      'commit-import': commitImport,
      'restore-import': restoreImport,
      'stage-object': stageObject,
    } = functions;
    const common = { environment, config };
    this.imports = new Workflow(this, 'ImportWorkflow', {
      ...common,
      name: 'import',
      definition: importDefinition(functions, config),
      functions: [planImport, importSegment, digestUpload, commitImport, conclude],
    });
    this.restores = new Workflow(this, 'ImportRestoreWorkflow', {
      ...common,
      name: 'import-restore',
      definition: importRestoreDefinition(functions, config),
      functions: [restoreImport, conclude],
    });
    this.stages = new Workflow(this, 'StageWorkflow', {
      ...common,
      name: 'stage',
      definition: stageDefinition(functions),
      functions: [stageObject, conclude],
    });
    const bucket = props.stateful.buckets.backups;
    for (const workflow of [this.imports, this.restores]) bucket.grantReadItems(workflow);
    this.grant(functions, props);
    this.startOnUpload(functions, props);
  }

  /** All three, for whoever listens to how they end. */
  get all(): readonly Workflow[] {
    return [this.imports, this.restores, this.stages];
  }

  private grant(functions: RecoveryFunctions, { settings, stateful, events: bus }: RecoveryProps): void {
    const bucket = stateful.buckets.backups;
    const { keys } = stateful;
    const { backup } = settings.config;
    const { api } = functions;
    bucket.grantSignUploads(api);
    this.imports.grantStop(api);
    this.restores.grantRun(api, 'IMPORT_RESTORE_STATE_MACHINE_ARN');
    this.stages.grantRun(api, 'STAGE_STATE_MACHINE_ARN');
    this.imports.grantRun(functions['start-import'], 'IMPORT_STATE_MACHINE_ARN');

    bucket.grantRead(functions['plan-import']);
    bucket.grantWriteBelow(functions['plan-import'], ['work/']);

    const segment = functions['import-segment'];
    bucket.grantRead(segment);
    bucket.grantWriteBelow(segment, ['work/', 'backups/']);
    bucket.grantRemoveBelow(segment, ['work/']);
    keys.grantEncrypt(segment);
    segment.addEnvironment('COMPRESSION', backup.compression);
    segment.addEnvironment('COMPRESSION_LEVEL', String(backup.compressionLevel));

    bucket.grantRead(functions['digest-upload']);

    const commit = functions['commit-import'];
    bucket.grantRead(commit);
    bucket.grantWriteBelow(commit, ['backups/']);
    bucket.grantRemoveBelow(commit, ['uploads/', 'work/']);
    commit.addEnvironment('ENCRYPTION_KEY_ARN', keys.encryption.keyArn);
    keys.grantMac(commit, ['kms:GenerateMac', 'kms:VerifyMac']);
    bus.grantPut(commit);
    bucket.grantLock(commit);
    commit.addEnvironment('OBJECT_LOCK_MODE', backup.lockMode);
    commit.addEnvironment('OBJECT_LOCK_DAYS', String(backup.objectLock?.days ?? 0));

    const restore = functions['restore-import'];
    bucket.grantRead(restore);
    bucket.grantWriteBelow(restore, ['restores/', 'scratch/']);
    restore.allow(['s3:ListBucketVersions'], [bucket.bucket.bucketArn]);
    keys.grantDecrypt(restore);
    keys.grantMac(restore, ['kms:VerifyMac']);

    const stage = functions['stage-object'];
    bucket.grantRead(stage);
    bucket.grantWriteBelow(stage, ['scratch/']);
    keys.grantEncrypt(stage);
    keys.grantMac(stage, ['kms:VerifyMac']);
  }

  private startOnUpload(functions: RecoveryFunctions, { stateful, deadLetters }: RecoveryProps): void {
    new events.Rule(this, 'Uploaded', {
      description: 'A dump was uploaded to be imported',
      eventPattern: {
        source: ['aws.s3'],
        detailType: ['Object Created'],
        detail: {
          bucket: { name: [stateful.buckets.backups.bucket.bucketName] },
          object: { key: [{ prefix: 'uploads/' }] },
        },
      },
      targets: [new LambdaFunction(functions['start-import'].function, deadLetters.delivery)],
    });
  }
}
