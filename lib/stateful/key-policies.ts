import { Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { escrowPurpose } from '../../functions/recovery/keys/escrow-model.ts';

/*
 * A replica of a key has a policy of its own, so each policy is made here once, for the primary and for its replica.
 * None gives anybody the use of a key by itself: administration is the account's, and use needs an IAM policy that
 * names the key, or (data key) a service that the caller is already allowed to use.
 */

/** For the key that wraps the data keys of backups and encrypts the bucket that holds them. */
export function backupKeyPolicy(): iam.PolicyDocument {
  return policy(
    usableByIam([
      ...['kms:Decrypt', 'kms:GenerateDataKey', 'kms:GenerateDataKeyWithoutPlaintext'],
      // S3 needs it to store a replica.
      'kms:Encrypt',
    ]),
  );
}

/** For the key that authenticates manifests. */
export function macKeyPolicy(): iam.PolicyDocument {
  return policy(usableByIam(['kms:GenerateMac', 'kms:VerifyMac']));
}

/** For the key that encrypts tables, secrets, databases and notifications of the scope's region. */
export function dataKeyPolicy(scope: Construct): iam.PolicyDocument {
  return policy(
    usableThrough(scope, ['dynamodb', 'secretsmanager', 'rds', 'sns']),
    usableForEscrow(),
    usableByCloudWatchAlarms(scope),
  );
}

function policy(...use: iam.PolicyStatement[]): iam.PolicyDocument {
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

function usableByIam(actions: string[]): iam.PolicyStatement {
  return new iam.PolicyStatement({
    sid: 'IamPoliciesMayGrantUse',
    principals: [new iam.AccountRootPrincipal()],
    actions,
    resources: ['*'],
  });
}

/** As in the keys that AWS manages: whoever may use the table or the secret may use its key, through that service alone. */
function usableThrough(scope: Construct, services: string[]): iam.PolicyStatement {
  const { account, region } = Stack.of(scope);
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

/** Directly for one purpose alone: to seal the wrapping keys of the escrow and to open them. */
function usableForEscrow(): iam.PolicyStatement {
  return new iam.PolicyStatement({
    sid: 'IamPoliciesMayGrantTheSealOfTheEscrow',
    principals: [new iam.AccountRootPrincipal()],
    actions: ['kms:Encrypt', 'kms:Decrypt'],
    resources: ['*'],
    conditions: { StringEquals: { 'kms:EncryptionContext:mainstay:purpose': escrowPurpose } },
  });
}

function usableByCloudWatchAlarms(scope: Construct): iam.PolicyStatement {
  return new iam.PolicyStatement({
    sid: 'AlarmsPublishToTheEncryptedTopic',
    principals: [new iam.ServicePrincipal('cloudwatch.amazonaws.com')],
    actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
    resources: ['*'],
    conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(scope).account } },
  });
}
