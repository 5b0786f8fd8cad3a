import { statSync } from 'node:fs';
import { join } from 'node:path';
import {
  CancelKeyDeletionCommand,
  DecryptCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateDataKeyWithoutPlaintextCommand,
  GenerateMacCommand,
  GenerateRandomCommand,
  GetKeyPolicyCommand,
  GetKeyRotationStatusCommand,
  KMSClient,
  ListAliasesCommand,
  ListKeysCommand,
  ReEncryptCommand,
  ReplicateKeyCommand,
  ScheduleKeyDeletionCommand,
  VerifyMacCommand,
} from '@aws-sdk/client-kms';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Authorizer } from '../../../local/iam/authorizer.ts';
import { KmsService } from '../../../local/kms/kms-service.ts';
import { allow, type EmulatedAws, startAws } from '../aws/emulated-aws.ts';

let aws: EmulatedAws;
let kms: KmsService;
let client: KMSClient;
let key: { keyId: string; arn: string };
let other: { keyId: string; arn: string };
let hmac: { keyId: string; arn: string };

beforeAll(async () => {
  aws = await startAws(({ directory, authorizer }) => {
    kms = new KmsService({ directory, authorizer });
    return [kms.api];
  });
  key = await kms.ensureKey({
    name: 'encryption',
    multiRegion: true,
    rotation: true,
  });
  await kms.ensureAlias('alias/backups', key.arn);
  other = await kms.ensureKey({ name: 'other', description: 'Another key' });
  hmac = await kms.ensureKey({ name: 'hmac', spec: 'HMAC_256', multiRegion: true });
  client = new KMSClient(aws.client());
});
afterAll(() => aws.close());

const message = Buffer.from('attack at dawn');
const context = { backup: 'b1', shard: 'shard-a' };
const mac = { MacAlgorithm: 'HMAC_SHA_256', Message: message } as const;

describe('symmetric keys', () => {
  it('decrypt what they encrypted, named by id, ARN, alias, or by the ciphertext alone', async () => {
    for (const KeyId of [
      key.keyId,
      key.arn,
      'alias/backups',
      'arn:aws:kms:us-east-1:000000000000:alias/backups',
    ]) {
      const sealed = await client.send(
        new EncryptCommand({ KeyId, Plaintext: message, EncryptionContext: context }),
      );
      expect(sealed.KeyId).toBe(key.arn);
      const blob = sealed.CiphertextBlob;
      const opened = await client.send(
        new DecryptCommand({ CiphertextBlob: blob, EncryptionContext: context, KeyId }),
      );
      expect(Buffer.from(opened.Plaintext ?? [])).toEqual(message);
      const alone = await client.send(
        new DecryptCommand({ CiphertextBlob: blob, EncryptionContext: context }),
      );
      expect(alone.KeyId).toBe(key.arn);
    }
  });

  it('refuse another context, a changed ciphertext, and another key', async () => {
    const { CiphertextBlob: blob = new Uint8Array() } = await client.send(
      new EncryptCommand({ KeyId: key.arn, Plaintext: message, EncryptionContext: context }),
    );
    const decrypt = (input: object) =>
      client.send(new DecryptCommand({ CiphertextBlob: blob, EncryptionContext: context, ...input }));
    const flipped = Uint8Array.from(blob);
    flipped[flipped.length - 20] = (flipped[flipped.length - 20] ?? 0) ^ 1;
    const cases: [object, string][] = [
      [{ EncryptionContext: { ...context, backup: 'b2' } }, 'InvalidCiphertextException'],
      [{ EncryptionContext: {} }, 'InvalidCiphertextException'],
      [{ CiphertextBlob: flipped }, 'InvalidCiphertextException'],
      [{ CiphertextBlob: Buffer.from('rubbish') }, 'InvalidCiphertextException'],
      [{ KeyId: other.arn }, 'IncorrectKeyException'],
    ];
    for (const [input, name] of cases) await expect(decrypt(input)).rejects.toMatchObject({ name });
  });

  it('give data keys with and without their plaintext', async () => {
    const full = await client.send(new GenerateDataKeyCommand({ KeyId: key.arn, KeySpec: 'AES_256' }));
    expect(full.Plaintext).toHaveLength(32);
    const opened = await client.send(new DecryptCommand({ CiphertextBlob: full.CiphertextBlob }));
    expect(opened.Plaintext).toEqual(full.Plaintext);
    const sealed = await client.send(
      new GenerateDataKeyWithoutPlaintextCommand({ KeyId: key.arn, NumberOfBytes: 64 }),
    );
    expect(sealed).not.toHaveProperty('Plaintext');
    expect(
      (await client.send(new DecryptCommand({ CiphertextBlob: sealed.CiphertextBlob }))).Plaintext,
    ).toHaveLength(64);
  });

  it('re-encrypt from one key and context to another', async () => {
    const sealed = await client.send(
      new EncryptCommand({ KeyId: key.arn, Plaintext: message, EncryptionContext: context }),
    );
    const moved = await client.send(
      new ReEncryptCommand({
        CiphertextBlob: sealed.CiphertextBlob,
        SourceEncryptionContext: context,
        DestinationKeyId: other.arn,
      }),
    );
    expect(moved).toMatchObject({ SourceKeyId: key.arn, KeyId: other.arn });
    const opened = await client.send(
      new DecryptCommand({ CiphertextBlob: moved.CiphertextBlob, KeyId: other.arn }),
    );
    expect(Buffer.from(opened.Plaintext ?? [])).toEqual(message);
  });

  it('keep to the sizes of KMS', async () => {
    const encrypt = (length: number) =>
      client.send(new EncryptCommand({ KeyId: key.arn, Plaintext: Buffer.alloc(length) }));
    await encrypt(4096);
    await expect(encrypt(4097)).rejects.toMatchObject({ name: 'ValidationException' });
    const generate = (length: number) =>
      client.send(new GenerateMacCommand({ ...mac, KeyId: hmac.arn, Message: Buffer.alloc(length) }));
    await generate(4096);
    await expect(generate(4097)).rejects.toMatchObject({ name: 'ValidationException' });
    expect((await client.send(new GenerateRandomCommand({ NumberOfBytes: 16 }))).Plaintext).toHaveLength(16);
  });
});

describe('HMAC keys', () => {
  it('verify their own MACs and refuse others', async () => {
    const made = await client.send(new GenerateMacCommand({ ...mac, KeyId: hmac.arn }));
    expect(made.Mac).toHaveLength(32);
    const verify = (input: object) =>
      client.send(new VerifyMacCommand({ ...mac, KeyId: hmac.arn, Mac: made.Mac, ...input }));
    expect(await verify({})).toMatchObject({ MacValid: true });
    const wrong = { name: 'KMSInvalidMacException' };
    await expect(verify({ Message: Buffer.from('attack at noon') })).rejects.toMatchObject(wrong);
    await expect(verify({ Mac: Buffer.alloc(32) })).rejects.toMatchObject(wrong);
  });

  it('are not for encryption, nor symmetric keys for MACs', async () => {
    const name = 'InvalidKeyUsageException';
    const encrypt = client.send(new EncryptCommand({ KeyId: hmac.arn, Plaintext: message }));
    await expect(encrypt).rejects.toMatchObject({ name });
    const generate = client.send(new GenerateMacCommand({ ...mac, KeyId: key.arn }));
    await expect(generate).rejects.toMatchObject({ name });
  });
});

describe('key management', () => {
  it('describes and lists keys', async () => {
    const { KeyMetadata } = await client.send(new DescribeKeyCommand({ KeyId: 'alias/backups' }));
    expect(KeyMetadata).toMatchObject({
      KeyId: expect.stringMatching(/^mrk-[0-9a-f]{32}$/),
      Arn: key.arn,
      CreationDate: expect.any(Date),
      KeyState: 'Enabled',
      MultiRegionConfiguration: { MultiRegionKeyType: 'PRIMARY', PrimaryKey: { Arn: key.arn } },
    });
    const first = await client.send(new ListKeysCommand({ Limit: 2 }));
    const second = await client.send(new ListKeysCommand({ Limit: 2, Marker: first.NextMarker }));
    expect([...(first.Keys ?? []), ...(second.Keys ?? [])].map(({ KeyArn }) => KeyArn)).toEqual([
      key.arn,
      other.arn,
      hmac.arn,
    ]);
    expect(second.Truncated).toBe(false);
    const { Aliases } = await client.send(new ListAliasesCommand({}));
    expect(Aliases).toEqual([
      expect.objectContaining({ AliasName: 'alias/backups', TargetKeyId: key.keyId }),
    ]);
    const policy = await client.send(new GetKeyPolicyCommand({ KeyId: key.arn }));
    expect(JSON.parse(policy.Policy ?? '').Statement).toHaveLength(1);
    const rotation = await client.send(new GetKeyRotationStatusCommand({ KeyId: key.arn }));
    expect(rotation.KeyRotationEnabled).toBe(true);
  });

  it('does not use disabled keys, keys pending deletion, and unknown keys', async () => {
    const encrypt = (KeyId: string) => client.send(new EncryptCommand({ KeyId, Plaintext: message }));
    await client.send(new DisableKeyCommand({ KeyId: other.keyId }));
    await expect(encrypt(other.arn)).rejects.toMatchObject({
      name: 'DisabledException',
      message: `${other.arn} is disabled.`,
    });
    await client.send(new EnableKeyCommand({ KeyId: other.keyId }));
    await encrypt(other.arn);
    await client.send(new ScheduleKeyDeletionCommand({ KeyId: other.arn, PendingWindowInDays: 7 }));
    await expect(encrypt(other.arn)).rejects.toMatchObject({ name: 'KMSInvalidStateException' });
    await client.send(new CancelKeyDeletionCommand({ KeyId: other.arn }));
    await expect(encrypt(other.arn)).rejects.toMatchObject({ name: 'DisabledException' });
    await client.send(new EnableKeyCommand({ KeyId: other.arn }));
    await expect(encrypt('alias/none')).rejects.toMatchObject({ name: 'NotFoundException' });
  });

  it('keeps material, ids and what was disabled by hand across a restart, in a file of its owner only', async () => {
    const sealed = await client.send(new EncryptCommand({ KeyId: key.arn, Plaintext: message }));
    await client.send(new DisableKeyCommand({ KeyId: other.arn }));
    const restarted = new KmsService({ directory: aws.directory, authorizer: new Authorizer() });
    expect(await restarted.ensureKey({ name: 'encryption', multiRegion: true })).toEqual(key);
    await restarted.ensureKey({ name: 'other' });
    const again = await startAws(() => [restarted.api]);
    try {
      const fresh = new KMSClient(again.client());
      const opened = await fresh.send(new DecryptCommand({ CiphertextBlob: sealed.CiphertextBlob }));
      expect(Buffer.from(opened.Plaintext ?? [])).toEqual(message);
      const { KeyMetadata } = await fresh.send(new DescribeKeyCommand({ KeyId: other.arn }));
      expect(KeyMetadata?.KeyState).toBe('Disabled');
    } finally {
      await again.close();
      await client.send(new EnableKeyCommand({ KeyId: other.arn }));
    }
    expect(statSync(join(aws.directory, 'kms.json')).mode & 0o777).toBe(0o600);
  });

  it('refuses to turn a key into another', async () => {
    await expect(kms.ensureKey({ name: 'hmac' })).rejects.toThrow(/exists with another spec/);
  });
});

describe('who may use a key', () => {
  const role = 'arn:aws:iam::000000000000:role/test-role';

  it('needs an identity policy when the key leaves it to the account', async () => {
    const decrypt = (settings: ReturnType<typeof aws.client>) =>
      new KMSClient(settings).send(new GenerateDataKeyCommand({ KeyId: key.arn, NumberOfBytes: 8 }));
    await expect(decrypt(aws.asRole())).rejects.toMatchObject({ name: 'AccessDeniedException' });
    await decrypt(aws.asRole(allow('kms:GenerateDataKey', key.arn)));
  });

  it('needs the consent of the key, whatever identity policies say', async () => {
    const closed = await kms.ensureKey({
      name: 'closed',
      policy: {
        Version: '2012-10-17',
        Statement: [
          { Effect: 'Allow', Principal: { AWS: role }, Action: 'kms:Encrypt', Resource: '*' },
          { Effect: 'Allow', Principal: { Service: 'logs.amazonaws.com' }, Action: 'kms:*', Resource: '*' },
        ],
      },
    });
    const narrow = new KMSClient(aws.asRole(allow('kms:*')));
    await narrow.send(new EncryptCommand({ KeyId: closed.arn, Plaintext: message }));
    await expect(narrow.send(new DescribeKeyCommand({ KeyId: closed.arn }))).rejects.toMatchObject({
      message: expect.stringContaining('because no resource-based policy allows the kms:DescribeKey action'),
    });
  });

  it('may depend on the encryption context', async () => {
    const condition = { StringEquals: { 'kms:EncryptionContext:shard': 'shard-a' } };
    const bound = new KMSClient(aws.asRole(allow('kms:Encrypt', key.arn, condition)));
    const encrypt = (shard: string) =>
      bound.send(new EncryptCommand({ KeyId: key.arn, Plaintext: message, EncryptionContext: { shard } }));
    await encrypt('shard-a');
    await expect(encrypt('shard-b')).rejects.toMatchObject({ name: 'AccessDeniedException' });
  });

  it('tells a service what to ask for its caller', () => {
    expect(kms.useBy('s3', 'alias/backups', 'kms:Decrypt', { object: 'o' })).toMatchObject({
      action: 'kms:Decrypt',
      resource: key.arn,
      context: { 'kms:ViaService': 's3.us-east-1.amazonaws.com', 'kms:EncryptionContext:object': 'o' },
    });
  });
});

describe('multi-Region keys', () => {
  const replicaRegion = 'eu-west-1';
  let standby: EmulatedAws;
  let primary: EmulatedAws;
  let [here, there]: KMSClient[] = [];
  let ids: { symmetric: string; single: string };

  beforeAll(async () => {
    let replicas: KmsService | undefined;
    standby = await startAws(({ directory, authorizer }) => {
      replicas = new KmsService({ directory, authorizer, region: replicaRegion });
      return [replicas.api];
    }, replicaRegion);
    ids = { symmetric: '', single: '' };
    primary = await startAws(async ({ directory, authorizer }) => {
      const inRegion = (region: string) => (region === replicaRegion ? replicas : undefined);
      const service = new KmsService({ directory, authorizer, inRegion });
      ids.symmetric = (await service.ensureKey({ name: 'multi', multiRegion: true })).keyId;
      ids.single = (await service.ensureKey({ name: 'single' })).keyId;
      return [service.api];
    });
    here = new KMSClient(primary.client());
    there = new KMSClient(standby.client());
  });
  afterAll(() => Promise.all([primary.close(), standby.close()]));

  it('have replicas with the same id and material, and a policy and a state of their own', async () => {
    const KeyId = ids.symmetric;
    const { CiphertextBlob } = (await here?.send(new EncryptCommand({ KeyId, Plaintext: message }))) ?? {};
    const decrypt = new DecryptCommand({ CiphertextBlob });
    await expect(there?.send(decrypt)).rejects.toMatchObject({ name: 'InvalidCiphertextException' });

    const replicated = await here?.send(new ReplicateKeyCommand({ KeyId, ReplicaRegion: replicaRegion }));
    expect(replicated?.ReplicaKeyMetadata).toMatchObject({
      KeyId,
      Arn: expect.stringContaining(`:${replicaRegion}:`),
      MultiRegionConfiguration: { MultiRegionKeyType: 'REPLICA', PrimaryKey: { Region: 'us-east-1' } },
    });
    await here?.send(new DisableKeyCommand({ KeyId }));
    await expect(here?.send(decrypt)).rejects.toMatchObject({ name: 'DisabledException' });
    const opened = await there?.send(decrypt);
    expect(Buffer.from(opened?.Plaintext ?? [])).toEqual(message);
    expect(opened?.KeyId).toContain(`:${replicaRegion}:`);

    const described = await here?.send(new DescribeKeyCommand({ KeyId }));
    expect(described?.KeyMetadata?.MultiRegionConfiguration).toMatchObject({
      MultiRegionKeyType: 'PRIMARY',
      ReplicaKeys: [{ Region: replicaRegion }],
    });
  });

  it('are replicated once in a region, from the primary, and single-Region keys never', async () => {
    const replicate = (KeyId: string, client = here, ReplicaRegion = replicaRegion) =>
      client?.send(new ReplicateKeyCommand({ KeyId, ReplicaRegion }));
    await expect(replicate(ids.symmetric)).rejects.toMatchObject({ name: 'AlreadyExistsException' });
    for (const attempt of [
      replicate(ids.single),
      replicate(ids.symmetric, there, 'us-east-1'),
      replicate(ids.symmetric, here, 'eu-central-1'),
    ]) {
      await expect(attempt).rejects.toMatchObject({ name: 'UnsupportedOperationException' });
    }
  });
});
