import type * as kms from 'aws-cdk-lib/aws-kms';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { acknowledge } from '../constructs/acknowledge.ts';
import type { BundledFunction } from '../constructs/function.ts';
import { kept } from '../constructs/kept.ts';

/** The secrets of a deployment that no service makes by itself. */
export class Secrets extends Construct {
  /** Keys the hashes under which API keys are stored. Losing it makes every API key invalid. */
  readonly keyPepper: secretsmanager.Secret;
  /** The first admin API key, once bootstrap has made it. */
  readonly adminKey: secretsmanager.Secret;

  constructor(scope: Construct, id: string, props: { key: kms.IKey }) {
    super(scope, id);
    const common = { encryptionKey: props.key, removalPolicy: kept };
    this.keyPepper = new secretsmanager.Secret(this, 'KeyPepper', {
      ...common,
      description: 'Mainstay: keys the hashes of API keys',
      generateSecretString: { passwordLength: 64, excludePunctuation: true },
    });
    this.adminKey = new secretsmanager.Secret(this, 'AdminKey', {
      ...common,
      description: 'Mainstay: the first admin API key, {"apiKey": "msk_…"}',
    });
    // Bootstrap puts a value where there is none; a generated one would pass for an API key.
    const resource = this.adminKey.node.defaultChild;
    if (resource instanceof secretsmanager.CfnSecret) resource.generateSecretString = undefined;

    acknowledge(this.keyPepper, {
      'AwsSolutions-SMG4':
        'The stored hashes of API keys depend on this value: rotating it would revoke every key at once. It is read by the functions that authenticate and never leaves them; API keys themselves are rerolled one by one.',
    });
    acknowledge(this.adminKey, {
      'AwsSolutions-SMG4':
        'It hands the first API key to the operator. API keys expire, are revoked and are rerolled through the access API, which overlaps the old and the new key; a rotation schedule on this copy would lock the operator out.',
    });
  }

  /** Lets a function read the pepper, and tells it where it is. */
  grantReadPepper(fn: BundledFunction): void {
    fn.allow(['secretsmanager:GetSecretValue'], [this.keyPepper.secretArn]);
    fn.addEnvironment('KEY_PEPPER_SECRET_ARN', this.keyPepper.secretArn);
  }

  /** Lets a function look whether there is an admin key, and put one; tells it where. */
  grantKeepAdminKey(fn: BundledFunction): void {
    fn.allow(['secretsmanager:GetSecretValue', 'secretsmanager:PutSecretValue'], [this.adminKey.secretArn]);
    fn.addEnvironment('ADMIN_KEY_SECRET_ARN', this.adminKey.secretArn);
  }
}
