import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import type { BundledFunction } from '../constructs/function.ts';

export interface KeysProps {
  /** How often KMS rotates key material, in days. */
  rotationDays: number;
}

/**
 * The keys of a deployment. All are multi-Region from the first deploy, because that cannot be changed later.
 *
 * Their policies give nobody the use of a key by themselves: administration is the account's, and use needs
 * an IAM policy that names the key, or (data key) a service that the caller is already allowed to use.
 */
export class Keys extends Construct {
  /** Wraps the data keys of backups, and encrypts the bucket that holds them. */
  readonly encryption: kms.Key;
  /** Authenticates manifests. */
  readonly hmac: kms.Key;
  /** Encrypts what lives beside the backups: tables, secrets, database storage, the alarm topic. */
  readonly data: kms.Key;

  constructor(scope: Construct, id: string, props: KeysProps) {
    super(scope, id);
    const common = { multiRegion: true, removalPolicy: RemovalPolicy.RETAIN };
    const rotated = {
      ...common,
      enableKeyRotation: true,
      rotationPeriod: Duration.days(props.rotationDays),
    };

    this.encryption = new kms.Key(this, 'Encryption', {
      ...rotated,
      description: 'Mainstay: wraps the data keys of backups',
      policy: this.policy(
        this.usableByIam(['kms:Decrypt', 'kms:GenerateDataKey', 'kms:GenerateDataKeyWithoutPlaintext']),
      ),
    });
    this.hmac = new kms.Key(this, 'Hmac', {
      ...common,
      description: 'Mainstay: authenticates backup manifests',
      keySpec: kms.KeySpec.HMAC_256,
      keyUsage: kms.KeyUsage.GENERATE_VERIFY_MAC,
      policy: this.policy(this.usableByIam(['kms:GenerateMac', 'kms:VerifyMac'])),
    });
    this.data = new kms.Key(this, 'Data', {
      ...rotated,
      description: 'Mainstay: encrypts tables, secrets, databases and notifications',
      policy: this.policy(
        this.usableThrough(['dynamodb', 'secretsmanager', 'rds', 'sns']),
        this.usableByCloudWatchAlarms(),
      ),
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

  /** Lets a function authenticate manifests and check them, and tells it with which key. */
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

  private policy(...use: iam.PolicyStatement[]): iam.PolicyDocument {
    const administration = new iam.PolicyStatement({
      sid: 'AccountAdministers',
      principals: [new iam.AccountRootPrincipal()],
      actions: [
        ...['Create*', 'Describe*', 'Enable*', 'List*', 'Put*', 'Update*', 'Revoke*', 'Disable*', 'Get*'],
        ...['Delete*', 'TagResource', 'UntagResource', 'ScheduleKeyDeletion', 'CancelKeyDeletion'],
        ...['RotateKeyOnDemand', 'ReplicateKey'],
      ].map((action) => `kms:${action}`),
      resources: ['*'],
    });
    return new iam.PolicyDocument({ statements: [administration, ...use] });
  }

  private usableByIam(actions: string[]): iam.PolicyStatement {
    return new iam.PolicyStatement({
      sid: 'IamPoliciesMayGrantUse',
      principals: [new iam.AccountRootPrincipal()],
      actions,
      resources: ['*'],
    });
  }

  /** As in the keys that AWS manages: whoever may use the table or the secret may use its key, through that service alone. */
  private usableThrough(services: string[]): iam.PolicyStatement {
    const { account, region } = Stack.of(this);
    return new iam.PolicyStatement({
      sid: 'ServicesUseItForTheirCallers',
      principals: [new iam.AnyPrincipal()],
      actions: [
        ...['Encrypt', 'Decrypt', 'ReEncryptFrom', 'ReEncryptTo', 'GenerateDataKey'],
        ...['GenerateDataKeyWithoutPlaintext', 'CreateGrant', 'DescribeKey'],
      ].map((action) => `kms:${action}`),
      resources: ['*'],
      conditions: {
        StringEquals: {
          'kms:CallerAccount': account,
          'kms:ViaService': services.map((service) => `${service}.${region}.amazonaws.com`),
        },
      },
    });
  }

  private usableByCloudWatchAlarms(): iam.PolicyStatement {
    return new iam.PolicyStatement({
      sid: 'AlarmsPublishToTheEncryptedTopic',
      principals: [new iam.ServicePrincipal('cloudwatch.amazonaws.com')],
      actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
      resources: ['*'],
      conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
    });
  }
}
