import { Construct } from 'constructs';
import { Workflow } from '../constructs/workflow.ts';
import type { RecoveryFunctions } from './functions.ts';
import type { RecoveryProps } from './recovery.ts';
import { reencryptionDefinition } from './reencryption-workflow.ts';

/** Backups that are stored anew under the keys as of now. */
export class Reencryption extends Construct {
  readonly workflow: Workflow;

  constructor(
    scope: Construct,
    id: string,
    functions: RecoveryFunctions,
    { settings, stateful }: Pick<RecoveryProps, 'settings' | 'stateful'>,
  ) {
    super(scope, id);
    const { environment, config } = settings;
    const { 'reencrypt-backup': backup, 'reencrypt-objects': objects, conclude, api } = functions;
    this.workflow = new Workflow(this, 'Workflow', {
      environment,
      config,
      name: 'reencryption',
      definition: reencryptionDefinition(functions, config),
      functions: [backup, objects, conclude],
    });
    this.workflow.grantRun(api, 'REENCRYPTION_STATE_MACHINE_ARN');

    const { keys } = stateful;
    const bucket = stateful.buckets.backups;
    bucket.grantReadItems(this.workflow);
    for (const fn of [backup, objects]) {
      bucket.grantRead(fn);
      bucket.grantLock(fn);
      fn.addEnvironment('OBJECT_LOCK_MODE', config.backup.lockMode);
    }
    bucket.grantWriteBelow(objects, ['backups/']);
    keys.grantEncrypt(objects);

    bucket.grantWriteBelow(backup, ['backups/', 'verifications/']);
    bucket.grantRemoveBelow(backup, ['backups/']);
    keys.grantMac(backup, ['kms:GenerateMac', 'kms:VerifyMac']);
    backup.addEnvironment('ENCRYPTION_KEY_ARN', keys.encryption.keyArn);
    backup.addEnvironment('OBJECT_LOCK_DAYS', String(config.backup.objectLock?.days ?? 0));
  }
}
