import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { ListBucketsCommand, S3Client } from '@aws-sdk/client-s3';
import {
  GetSecretValueCommand,
  ListSecretsCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { generateKey, hashKey } from '../../../functions/access/keys/api-keys.ts';
import { KeyStore } from '../../../functions/access/keys/key-store.ts';
import { tenantIdSchema } from '../../../functions/access/tenants/tenant.ts';
import type { Scope } from '../../../functions/shared/contract.ts';
import type { ControlConnection } from '../../../local/control/control-client.ts';
import type { LocalJson } from './local-platform.ts';

/** How any SDK client reaches the emulated AWS as the operator. */
export function awsConfig({ awsEndpointUrl, aws }: LocalJson) {
  const { region, ...credentials } = aws;
  return { endpoint: awsEndpointUrl, region, credentials, maxAttempts: 1 };
}

export function controlOf({ awsEndpointUrl, aws }: LocalJson): ControlConnection {
  return { endpoint: awsEndpointUrl, ...aws };
}

/** The one bucket whose name holds `part`. */
export async function bucketNamed(local: LocalJson, part: string): Promise<string> {
  const s3 = new S3Client(awsConfig(local));
  const { Buckets = [] } = await s3.send(new ListBucketsCommand({}));
  return only(
    Buckets.flatMap(({ Name = '' }) => (Name.includes(part) ? [Name] : [])),
    part,
  );
}

/** The one table whose name holds `part`. */
export async function tableNamed(local: LocalJson, part: string): Promise<string> {
  const { TableNames = [] } = await new DynamoDBClient(awsConfig(local)).send(new ListTablesCommand({}));
  return only(
    TableNames.filter((name) => name.includes(part)),
    part,
  );
}

/** Makes an API key with the given scopes, as an administrator of the tables would. */
export async function createKey(
  local: LocalJson,
  scopes: readonly Scope[],
  settings: { state?: 'active' | 'revoked'; validUntil?: Date; tenant?: string } = {},
): Promise<string> {
  const { id, key } = generateKey();
  const store = new KeyStore(
    DynamoDBDocumentClient.from(new DynamoDBClient(awsConfig(local))),
    await tableNamed(local, 'Access'),
  );
  const stored = await store.create({
    id,
    hash: hashKey(await pepperOf(local), key),
    name: 'made by a test',
    scopes: [...scopes],
    tier: 'enterprise',
    state: settings.state ?? 'active',
    createdAt: new Date().toISOString(),
    ...(settings.validUntil && { validUntil: settings.validUntil.toISOString() }),
    ...(settings.tenant !== undefined && { tenant: tenantIdSchema.parse(settings.tenant) }),
  });
  if (!stored) throw new Error(`The key id ${id} is taken.`);
  return key;
}

async function pepperOf(local: LocalJson): Promise<string> {
  const secrets = new SecretsManagerClient(awsConfig(local));
  const { SecretList = [] } = await secrets.send(new ListSecretsCommand({}));
  const name = only(
    SecretList.flatMap(({ Name = '' }) => (Name.includes('KeyPepper') ? [Name] : [])),
    'KeyPepper',
  );
  const { SecretString = '' } = await secrets.send(new GetSecretValueCommand({ SecretId: name }));
  return SecretString;
}

function only(names: readonly string[], part: string): string {
  const [name] = names;
  if (name === undefined || names.length > 1) throw new Error(`${names.length} names hold ${part}.`);
  return name;
}
