import { Duration } from 'aws-cdk-lib';
import * as kms from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import type { BundledFunction } from '../constructs/function.ts';
import { kept } from '../constructs/kept.ts';
import { backupKeyPolicy, dataKeyPolicy, macKeyPolicy } from './key-policies.ts';

export interface KeysProps {
  /** How often KMS rotates key material, in days. */
  rotationDays: number;
}

/** The keys of a deployment. All are multi-Region from the first deploy, because that cannot be changed later. */
export class Keys extends Construct {
  /** Wraps the data keys of backups, and encrypts the bucket that holds them. */
  readonly encryption: kms.Key;
  /** Authenticates manifests of backups, and seals of the audit trail. */
  readonly hmac: kms.Key;
  /** Encrypts what lives beside the backups: tables, secrets, database storage, the alarm topic. */
  readonly data: kms.Key;

  constructor(scope: Construct, id: string, props: KeysProps) {
    super(scope, id);
    const common = { multiRegion: true, removalPolicy: kept };
    const rotated = {
      ...common,
      enableKeyRotation: true,
      rotationPeriod: Duration.days(props.rotationDays),
    };

    this.encryption = new kms.Key(this, 'Encryption', {
      ...rotated,
      description: 'Mainstay: wraps the data keys of backups',
      policy: backupKeyPolicy(),
    });
    this.hmac = new kms.Key(this, 'Hmac', {
      ...common,
      description: 'Mainstay: authenticates backup manifests and audit seals',
      keySpec: kms.KeySpec.HMAC_256,
      keyUsage: kms.KeyUsage.GENERATE_VERIFY_MAC,
      policy: macKeyPolicy(),
    });
    this.data = new kms.Key(this, 'Data', {
      ...rotated,
      description: 'Mainstay: encrypts tables, secrets, databases and notifications',
      policy: dataKeyPolicy(this),
    });
  }

  /** Lets a function make and open the data keys of backups, and tells it which key. */
  grantEncrypt(fn: BundledFunction): void {
    fn.allow(['kms:GenerateDataKey', 'kms:Decrypt'], [this.encryption.keyArn]);
    fn.addEnvironment('ENCRYPTION_KEY_ARN', this.encryption.keyArn);
  }

  /** Lets a function open the data keys of backups, and tells it which key. */
  grantDecrypt(fn: BundledFunction): void {
    fn.allow(['kms:Decrypt'], [this.encryption.keyArn]);
    fn.addEnvironment('ENCRYPTION_KEY_ARN', this.encryption.keyArn);
  }

  /** Lets a function make authentication codes and check them, and tells it with which key. */
  grantMac(fn: BundledFunction, actions: ('kms:GenerateMac' | 'kms:VerifyMac')[]): void {
    fn.allow(actions, [this.hmac.keyArn]);
    fn.addEnvironment('HMAC_KEY_ARN', this.hmac.keyArn);
  }

  /** Lets a function ask whether the keys are usable, and tells it which they are. */
  grantProbe(fn: BundledFunction): void {
    fn.allow(['kms:DescribeKey'], [this.encryption.keyArn, this.hmac.keyArn]);
    fn.addEnvironment('ENCRYPTION_KEY_ARN', this.encryption.keyArn);
    fn.addEnvironment('HMAC_KEY_ARN', this.hmac.keyArn);
  }
}
