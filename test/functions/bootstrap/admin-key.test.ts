import '../shared/output.ts';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { ScanCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import * as z from 'zod';
import { AdminKeys } from '../../../functions/access/keys/admin-keys.ts';
import { idOfKey } from '../../../functions/access/keys/api-keys.ts';
import { revokeKey } from '../../../functions/access/keys/change-key.ts';
import { keyIdSchema } from '../../../functions/access/keys/key-id.ts';
import { KeyStore } from '../../../functions/access/keys/key-store.ts';
import { rerollKey } from '../../../functions/access/keys/reroll-key.ts';
import { TenantStore } from '../../../functions/access/tenants/tenant-store.ts';
import { ensureAdminKey } from '../../../functions/bootstrap/admin-key.ts';
import { startDynamo, type TestDynamo } from '../shared/dynamodb.ts';
import { type FakeAws, startFakeAws } from '../shared/fake-aws.ts';

let dynamo: TestDynamo;
let aws: FakeAws;
let secrets: SecretsManagerClient;
let secret: string | undefined;
let store: KeyStore;
let admins: AdminKeys;

beforeAll(async () => {
  dynamo = await startDynamo('access');
  aws = await startFakeAws(({ operation, input }) => {
    if (operation === 'PutSecretValue') secret = String(input.SecretString);
    if (secret === undefined) return { status: 400, body: { __type: 'ResourceNotFoundException' } };
    return { body: { SecretString: secret } };
  });
  secrets = new SecretsManagerClient(aws.settings);
  store = new KeyStore(dynamo.client, 'access');
  admins = new AdminKeys(dynamo.client, 'access', store);
});
afterAll(async () => {
  secrets.destroy();
  await dynamo.stop();
  await aws.stop();
});
beforeEach(() => {
  secret = undefined;
});

const pepper = async () => 'a pepper';
const now = new Date('2026-11-20T10:00:00Z');
const ensure = () => ensureAdminKey({ secrets, secretArn: 'arn:aws:x', store, admins, pepper, now });
const keyInSecret = () => {
  const { apiKey } = z.object({ apiKey: z.string() }).parse(JSON.parse(secret ?? '{}'));
  return keyIdSchema.parse(idOfKey(apiKey));
};

describe('the first admin key', () => {
  it('cannot be revoked until there is another; once rerolled it is not brought back', async () => {
    const deps = {
      keys: store,
      admins,
      tenants: new TenantStore(dynamo.client, 'access'),
      pepper,
      now: () => now.getTime(),
    };
    expect(await ensure()).toBe(true);
    const first = keyInSecret();
    expect(await store.find(first)).toMatchObject({ scopes: ['admin'], createdBy: 'bootstrap' });
    await expect(revokeKey(deps, first)).rejects.toMatchObject({ kind: 'conflict' });

    const { key } = await rerollKey(deps, first, { overlapHours: 24, createdBy: first });
    secret = JSON.stringify({ apiKey: key });
    expect(await revokeKey(deps, first)).toMatchObject({ changed: true });
    const { Items: before } = await dynamo.client.send(new ScanCommand({ TableName: 'access' }));
    expect(await ensure()).toBe(false);
    const { Items: after } = await dynamo.client.send(new ScanCommand({ TableName: 'access' }));
    expect(after).toEqual(before);
  });
});
