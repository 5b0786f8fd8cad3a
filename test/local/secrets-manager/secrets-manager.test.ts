import { statSync } from 'node:fs';
import { join } from 'node:path';
import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  ListSecretsCommand,
  PutSecretValueCommand,
  RotateSecretCommand,
  SecretsManagerClient,
  UpdateSecretCommand,
} from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Authorizer } from '../../../local/iam/authorizer.ts';
import { KmsService } from '../../../local/kms/kms-service.ts';
import { SecretsManagerService } from '../../../local/secrets-manager/secrets-manager-service.ts';
import { allow, type EmulatedAws, startAws } from '../aws/emulated-aws.ts';

let aws: EmulatedAws;
let kms: KmsService;
let secrets: SecretsManagerService;
let client: SecretsManagerClient;

beforeAll(async () => {
  aws = await startAws(({ directory, authorizer }) => {
    kms = new KmsService({ directory, authorizer });
    secrets = new SecretsManagerService({ directory, authorizer, kms });
    return [kms.api, secrets.api];
  });
  client = new SecretsManagerClient(aws.client());
});
afterAll(() => aws.close());

const get = (SecretId: string, input: object = {}) =>
  client.send(new GetSecretValueCommand({ SecretId, ...input }));

describe('a secret', () => {
  it('has no value before somebody puts one', async () => {
    const { arn } = await secrets.ensureSecret({ name: 'empty' });
    expect(arn).toMatch(/^arn:aws:secretsmanager:us-east-1:000000000000:secret:empty-[A-Za-z0-9]{6}$/);
    await expect(get(arn)).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      message: "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT",
    });
    await client.send(new PutSecretValueCommand({ SecretId: arn, SecretString: 'one' }));
    expect(await get('empty')).toMatchObject({
      ARN: arn,
      SecretString: 'one',
      VersionStages: ['AWSCURRENT'],
    });
  });

  it('keeps the previous version and moves the stages', async () => {
    await secrets.ensureSecret({ name: 'staged', secretString: 'one' });
    await client.send(new PutSecretValueCommand({ SecretId: 'staged', SecretString: 'two' }));
    await client.send(
      new PutSecretValueCommand({ SecretId: 'staged', SecretString: 'three', VersionStages: ['AWSPENDING'] }),
    );
    expect((await get('staged')).SecretString).toBe('two');
    expect((await get('staged', { VersionStage: 'AWSPREVIOUS' })).SecretString).toBe('one');
    expect((await get('staged', { VersionStage: 'AWSPENDING' })).SecretString).toBe('three');
    const { VersionIdsToStages } = await client.send(new DescribeSecretCommand({ SecretId: 'staged' }));
    expect(
      Object.values(VersionIdsToStages ?? {})
        .flat()
        .sort(),
    ).toEqual(['AWSCURRENT', 'AWSPENDING', 'AWSPREVIOUS']);
  });

  it('takes the same request token once', async () => {
    await secrets.ensureSecret({ name: 'idempotent' });
    const ClientRequestToken = 'a'.repeat(32);
    const put = (SecretString: string) =>
      client.send(new PutSecretValueCommand({ SecretId: 'idempotent', SecretString, ClientRequestToken }));
    const [first, second] = [await put('one'), await put('one')];
    expect(second.VersionId).toBe(first.VersionId);
    await expect(put('two')).rejects.toMatchObject({ name: 'ResourceExistsException' });
    expect((await get('idempotent', { VersionId: ClientRequestToken })).SecretString).toBe('one');
  });

  it('may be bytes, and be updated', async () => {
    await secrets.ensureSecret({ name: 'binary' });
    const SecretBinary = Buffer.from([0, 1, 255]);
    await client.send(new UpdateSecretCommand({ SecretId: 'binary', SecretBinary, Description: 'Bytes' }));
    expect(Buffer.from((await get('binary')).SecretBinary ?? [])).toEqual(SecretBinary);
    const described = await client.send(new DescribeSecretCommand({ SecretId: 'binary' }));
    expect(described).toMatchObject({ Description: 'Bytes', LastChangedDate: expect.any(Date) });
  });

  it('is generated once and keeps what was put by hand across restarts, in a file of its owner only', async () => {
    const generate = {
      SecretStringTemplate: '{"username":"admin"}',
      GenerateStringKey: 'password',
      PasswordLength: 40,
    };
    const { arn } = await secrets.ensureSecret({ name: 'generated', generate });
    const made = (await get(arn)).SecretString ?? '';
    expect(JSON.parse(made)).toEqual({ username: 'admin', password: expect.stringMatching(/^.{40}$/) });
    await secrets.ensureSecret({ name: 'literal', secretString: 'from template' });
    await client.send(new PutSecretValueCommand({ SecretId: 'literal', SecretString: 'by hand' }));
    const restarted = new SecretsManagerService({
      directory: aws.directory,
      authorizer: new Authorizer(),
      kms,
    });
    expect(await restarted.ensureSecret({ name: 'generated', generate })).toEqual({ name: 'generated', arn });
    await restarted.ensureSecret({ name: 'literal', secretString: 'from template' });
    const again = await startAws(() => [restarted.api]);
    try {
      const read = async (SecretId: string) =>
        (await new SecretsManagerClient(again.client()).send(new GetSecretValueCommand({ SecretId })))
          .SecretString;
      expect(await read('generated')).toBe(made);
      expect(await read('literal')).toBe('by hand');
      await restarted.ensureSecret({ name: 'literal', secretString: 'changed template' });
      expect(await read('literal')).toBe('changed template');
    } finally {
      await again.close();
    }
    expect(statSync(join(aws.directory, 'secrets.json')).mode & 0o777).toBe(0o600);
  });

  it('is listed in pages without its value', async () => {
    for (const index of [1, 2, 3])
      await secrets.ensureSecret({ name: `listed/${index}`, secretString: 'hidden' });
    const names: (string | undefined)[] = [];
    let NextToken: string | undefined;
    do {
      const list = await client.send(
        new ListSecretsCommand({ MaxResults: 2, NextToken, Filters: [{ Key: 'name', Values: ['listed/'] }] }),
      );
      names.push(...(list.SecretList ?? []).map(({ Name }) => Name));
      expect(JSON.stringify(list)).not.toContain('hidden');
      NextToken = list.NextToken;
    } while (NextToken);
    expect(names).toEqual(['listed/3', 'listed/2', 'listed/1']);
  });

  it('cannot be rotated here, and says so', async () => {
    const rotate = client.send(new RotateSecretCommand({ SecretId: 'empty' }));
    await expect(rotate).rejects.toMatchObject({ name: 'NotEmulated' });
  });
});

describe('who may read a secret', () => {
  it('needs the secret and, under a customer key, the key through this service', async () => {
    const key = await kms.ensureKey({ name: 'secrets' });
    const { arn } = await secrets.ensureSecret({ name: 'sealed', secretString: 'x', kmsKeyId: key.arn });
    const read = (...statements: object[]) =>
      new SecretsManagerClient(aws.asRole(...statements)).send(new GetSecretValueCommand({ SecretId: arn }));
    const onSecret = allow('secretsmanager:GetSecretValue', arn);
    await expect(read(onSecret)).rejects.toThrow(/kms:Decrypt/);
    const via = (service: string) =>
      allow('kms:Decrypt', key.arn, {
        StringEquals: { 'kms:ViaService': `${service}.us-east-1.amazonaws.com` },
      });
    await expect(read(onSecret, via('s3'))).rejects.toThrow(/kms:Decrypt/);
    expect((await read(onSecret, via('secretsmanager'))).SecretString).toBe('x');
  });

  it('may come from the policy of the secret', async () => {
    const { arn } = await secrets.ensureSecret({
      name: 'shared',
      secretString: 'x',
      policy: {
        Version: '2012-10-17',
        Statement: {
          Effect: 'Allow',
          Principal: { AWS: 'arn:aws:iam::000000000000:role/test-role' },
          Action: 'secretsmanager:GetSecretValue',
          Resource: '*',
        },
      },
    });
    const reader = new SecretsManagerClient(aws.asRole());
    expect((await reader.send(new GetSecretValueCommand({ SecretId: arn }))).SecretString).toBe('x');
  });
});
