import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CredentialStore } from '../../../local/aws/credentials.ts';
import type { Operation, OperationContext } from '../../../local/aws/operation.ts';
import { DynamoDbService } from '../../../local/dynamodb/dynamodb-service.ts';
import { Authorizer } from '../../../local/iam/authorizer.ts';
import { KmsService } from '../../../local/kms/kms-service.ts';
import { SecretsManagerService } from '../../../local/secrets-manager/secrets-manager-service.ts';
import { SnsService } from '../../../local/sns/sns-service.ts';
import { SsmService } from '../../../local/ssm/ssm-service.ts';
import { StsService } from '../../../local/sts/sts-service.ts';
import { accountId, region, testRole } from './emulated-aws.ts';

/** `<service>:<operation>` to what IAM has to allow: `<action> <resource>`. */
const table: Record<string, { input: object; needs: string[] }> = {
  'dynamodb:BatchGetItem': {
    input: { RequestItems: { t: {}, u: {} } },
    needs: ['dynamodb:BatchGetItem <t>', 'dynamodb:BatchGetItem <u>'],
  },
  'dynamodb:BatchWriteItem': { input: { RequestItems: { t: [] } }, needs: ['dynamodb:BatchWriteItem <t>'] },
  'dynamodb:DeleteItem': { input: { TableName: 't' }, needs: ['dynamodb:DeleteItem <t>'] },
  'dynamodb:DescribeContinuousBackups': {
    input: { TableName: 't' },
    needs: ['dynamodb:DescribeContinuousBackups <t>'],
  },
  'dynamodb:DescribeTable': { input: { TableName: 't' }, needs: ['dynamodb:DescribeTable <t>'] },
  'dynamodb:DescribeTimeToLive': { input: { TableName: 't' }, needs: ['dynamodb:DescribeTimeToLive <t>'] },
  'dynamodb:GetItem': { input: { TableName: 't' }, needs: ['dynamodb:GetItem <t>'] },
  'dynamodb:ListTables': { input: {}, needs: ['dynamodb:ListTables *'] },
  'dynamodb:PutItem': { input: { TableName: 't' }, needs: ['dynamodb:PutItem <t>'] },
  'dynamodb:Query': { input: { TableName: 't', IndexName: 'i' }, needs: ['dynamodb:Query <t>/index/i'] },
  'dynamodb:Scan': { input: { TableName: 't' }, needs: ['dynamodb:Scan <t>'] },
  'dynamodb:UpdateItem': { input: { TableName: 't' }, needs: ['dynamodb:UpdateItem <t>'] },
  'kms:CancelKeyDeletion': { input: { KeyId: 'alias/k' }, needs: ['kms:CancelKeyDeletion <key>'] },
  'kms:Decrypt': { input: { CiphertextBlob: 'blob' }, needs: ['kms:Decrypt <key>'] },
  'kms:DescribeKey': { input: { KeyId: 'alias/k' }, needs: ['kms:DescribeKey <key>'] },
  'kms:DisableKey': { input: { KeyId: 'alias/k' }, needs: ['kms:DisableKey <key>'] },
  'kms:EnableKey': { input: { KeyId: 'alias/k' }, needs: ['kms:EnableKey <key>'] },
  'kms:Encrypt': { input: { KeyId: 'alias/k', Plaintext: 'YQ==' }, needs: ['kms:Encrypt <key>'] },
  'kms:GenerateDataKey': {
    input: { KeyId: 'alias/k', KeySpec: 'AES_256' },
    needs: ['kms:GenerateDataKey <key>'],
  },
  'kms:GenerateDataKeyWithoutPlaintext': {
    input: { KeyId: 'alias/k', KeySpec: 'AES_256' },
    needs: ['kms:GenerateDataKeyWithoutPlaintext <key>'],
  },
  'kms:GenerateMac': {
    input: { KeyId: 'alias/k', MacAlgorithm: 'HMAC_SHA_256', Message: 'YQ==' },
    needs: ['kms:GenerateMac <key>'],
  },
  'kms:GenerateRandom': { input: { NumberOfBytes: 1 }, needs: ['kms:GenerateRandom *'] },
  'kms:GetKeyPolicy': { input: { KeyId: 'alias/k' }, needs: ['kms:GetKeyPolicy <key>'] },
  'kms:GetKeyRotationStatus': { input: { KeyId: 'alias/k' }, needs: ['kms:GetKeyRotationStatus <key>'] },
  'kms:ListAliases': { input: {}, needs: ['kms:ListAliases *'] },
  'kms:ListKeys': { input: {}, needs: ['kms:ListKeys *'] },
  'kms:ReEncrypt': {
    input: { CiphertextBlob: 'blob', DestinationKeyId: 'alias/k' },
    needs: ['kms:ReEncryptFrom <key>', 'kms:ReEncryptTo <key>'],
  },
  'kms:ReplicateKey': {
    input: { KeyId: 'alias/k', ReplicaRegion: 'eu-west-1' },
    needs: ['kms:ReplicateKey <key>'],
  },
  'kms:ScheduleKeyDeletion': { input: { KeyId: 'alias/k' }, needs: ['kms:ScheduleKeyDeletion <key>'] },
  'kms:VerifyMac': {
    input: { KeyId: 'alias/k', MacAlgorithm: 'HMAC_SHA_256', Message: 'YQ==', Mac: 'YQ==' },
    needs: ['kms:VerifyMac <key>'],
  },
  'secretsmanager:DescribeSecret': {
    input: { SecretId: 's' },
    needs: ['secretsmanager:DescribeSecret <secret>'],
  },
  'secretsmanager:GetSecretValue': {
    input: { SecretId: 's' },
    needs: ['secretsmanager:GetSecretValue <secret>', 'kms:Decrypt <key>'],
  },
  'secretsmanager:ListSecrets': { input: {}, needs: ['secretsmanager:ListSecrets *'] },
  'secretsmanager:PutSecretValue': {
    input: { SecretId: 's', SecretString: 'x' },
    needs: ['secretsmanager:PutSecretValue <secret>', 'kms:GenerateDataKey <key>', 'kms:Decrypt <key>'],
  },
  'secretsmanager:UpdateSecret': {
    input: { SecretId: 's', SecretString: 'x' },
    needs: ['secretsmanager:UpdateSecret <secret>', 'kms:GenerateDataKey <key>', 'kms:Decrypt <key>'],
  },
  'sns:GetTopicAttributes': { input: { TopicArn: 'topic' }, needs: ['sns:GetTopicAttributes <topic>'] },
  'sns:ListSubscriptionsByTopic': {
    input: { TopicArn: 'topic' },
    needs: ['sns:ListSubscriptionsByTopic <topic>'],
  },
  'sns:ListTopics': { input: {}, needs: ['sns:ListTopics *'] },
  'sns:Publish': {
    input: { TopicArn: 'topic', Message: 'x' },
    needs: ['sns:Publish <topic>', 'kms:GenerateDataKey <key>', 'kms:Decrypt <key>'],
  },
  'ssm:GetParameter': { input: { Name: '/p/q' }, needs: ['ssm:GetParameter <parameter>/p/q'] },
  'ssm:GetParameters': {
    input: { Names: ['/p/q', 'r'] },
    needs: ['ssm:GetParameters <parameter>/p/q', 'ssm:GetParameters <parameter>/r'],
  },
  'ssm:GetParametersByPath': { input: { Path: '/p/' }, needs: ['ssm:GetParametersByPath <parameter>/p'] },
  'ssm:PutParameter': { input: { Name: '/p/q', Value: 'x' }, needs: ['ssm:PutParameter <parameter>/p/q'] },
  'sts:AssumeRole': {
    input: { RoleArn: testRole, RoleSessionName: 'session' },
    needs: [`sts:AssumeRole ${testRole}`],
  },
  'sts:GetCallerIdentity': { input: {}, needs: [] },
};

const context: OperationContext = {
  principal: { kind: 'operator', arn: 'x' },
  accountId,
  region,
  requestId: 'r',
};
const operations = new Map<string, Operation>();
let directory: string;
/** Placeholders in inputs and resources. */
let names: Record<string, string>;
let placeholders: Record<string, string>;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'mainstay-table-'));
  const authorizer = new Authorizer();
  const kms = new KmsService({ directory, authorizer });
  const secrets = new SecretsManagerService({ directory, authorizer, kms });
  const sns = new SnsService({ authorizer, kms, log: () => undefined, deliver: async () => undefined });
  const apis = [
    new DynamoDbService({ directory, authorizer }).api,
    kms.api,
    secrets.api,
    sns.api,
    new SsmService({ directory }).api,
    new StsService({ credentials: CredentialStore.open(directory) }).api,
  ];
  for (const api of apis) {
    for (const [name, operation] of Object.entries(api.operations))
      operations.set(`${api.signingName}:${name}`, operation);
  }
  const key = await kms.ensureKey({ name: 'k', aliases: ['alias/k'] });
  const secret = await secrets.ensureSecret({ name: 's', kmsKeyId: key.arn });
  const topic = sns.ensureTopic({ name: 'topic', kmsKeyId: 'alias/k' });
  const sealed = await kms.api.operations.Encrypt?.run({ KeyId: 'alias/k', Plaintext: 'YQ==' }, context);
  const blob =
    typeof sealed === 'object' && sealed && 'CiphertextBlob' in sealed ? sealed.CiphertextBlob : undefined;
  if (!(blob instanceof Uint8Array)) throw new Error('nothing was encrypted');
  placeholders = { topic: topic.arn, blob: Buffer.from(blob).toString('base64') };
  names = {
    [key.arn]: '<key>',
    [secret.arn]: '<secret>',
    [topic.arn]: '<topic>',
    [`arn:aws:dynamodb:${region}:${accountId}:table/t`]: '<t>',
    [`arn:aws:dynamodb:${region}:${accountId}:table/u`]: '<u>',
    [`arn:aws:ssm:${region}:${accountId}:parameter`]: '<parameter>',
  };
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe('the table from operation to action', () => {
  it('covers every operation', () => {
    expect([...operations.keys()].sort()).toEqual(Object.keys(table).sort());
  });

  it.each(Object.entries(table))('%s asks IAM for what AWS asks', async (name, { input, needs }) => {
    const given = Object.fromEntries(
      Object.entries(input).map(([member, value]) => [member, placeholders[String(value)] ?? value]),
    );
    const asked = (await operations.get(name)?.authorize(given, context)) ?? [];
    const described = asked.map(({ action, resource }) =>
      Object.entries(names).reduce((text, [arn, short]) => text.replace(arn, short), `${action} ${resource}`),
    );
    expect(described).toEqual(needs);
  });
});
