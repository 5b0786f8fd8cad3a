import type * as kms from 'aws-cdk-lib/aws-kms';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { escrowPrefix, escrowPurpose } from '../../functions/recovery/keys/escrow-model.ts';
import { acknowledge } from '../constructs/acknowledge.ts';
import type { BundledFunction } from '../constructs/function.ts';
import { kept } from '../constructs/kept.ts';
import type { BackupBucket } from './backup-bucket.ts';

export interface EscrowProps {
  /** Encrypts the passphrase and seals the wrapping keys; not the key of backups. */
  key: kms.Key;
  /** Where the sealed wrapping keys are. */
  backups: BackupBucket;
  /** Whether Secrets Manager makes the first passphrase up. */
  generate: boolean;
}

/** What opens backups when their KMS key is lost: a passphrase, and the wrapping keys that come of it. */
export class Escrow extends Construct {
  /** Empty until the operator puts the passphrase, unless it is made up. */
  readonly passphrase: secretsmanager.Secret;
  private readonly props: EscrowProps;

  constructor(scope: Construct, id: string, props: EscrowProps) {
    super(scope, id);
    this.props = props;
    this.passphrase = new secretsmanager.Secret(this, 'Passphrase', {
      encryptionKey: props.key,
      removalPolicy: kept,
      description: 'Mainstay: opens backups without their KMS key; keep it on paper, too',
      generateSecretString: { passwordLength: 40, excludePunctuation: true },
    });
    const resource = this.passphrase.node.defaultChild;
    if (!props.generate && resource instanceof secretsmanager.CfnSecret) {
      resource.generateSecretString = undefined;
    }
    acknowledge(this.passphrase, {
      'AwsSolutions-SMG4':
        'It is on paper as well, in places that a schedule cannot reach: rotated by a machine, the paper would open nothing. docs/operations/keys.md says how people rotate it.',
    });
  }

  /** Lets a function open the wrapping keys that are kept, and tells it by which key. */
  grantOpen(fn: BundledFunction): void {
    this.grantRead(fn);
    this.grantSeal(fn, 'kms:Decrypt');
  }

  /** Lets a function derive wrapping keys from the passphrase itself, and tells it where that is. */
  grantPassphrase(fn: BundledFunction): void {
    this.grantRead(fn);
    fn.allow(['secretsmanager:GetSecretValue'], [this.passphrase.secretArn]);
    fn.addEnvironment('ESCROW_SECRET_ARN', this.passphrase.secretArn);
  }

  /** Lets a function make wrapping keys; no other can, because no other can seal them. */
  grantDerive(fn: BundledFunction): void {
    this.grantPassphrase(fn);
    fn.allow(['s3:PutObject'], [this.records]);
    this.grantSeal(fn, 'kms:Encrypt');
  }

  private grantRead(fn: BundledFunction): void {
    this.props.backups.grantReadBelow(fn, [escrowPrefix]);
  }

  /** The key encrypts all else that the deployment keeps: the condition keeps that out of reach. */
  private grantSeal(fn: BundledFunction, action: 'kms:Encrypt' | 'kms:Decrypt'): void {
    const { keyArn } = this.props.key;
    fn.allowWhere([action], [keyArn], {
      StringEquals: { 'kms:EncryptionContext:mainstay:purpose': escrowPurpose },
    });
    fn.addEnvironment('ESCROW_KEY_ARN', keyArn);
  }

  private get records(): string {
    return this.props.backups.bucket.arnForObjects(`${escrowPrefix}*`);
  }
}
