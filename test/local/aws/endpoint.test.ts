import { connect } from 'node:net';
import {
  DescribeKeyCommand,
  GenerateRandomCommand,
  KMSClient,
  ListAliasesCommand,
  ListKeysCommand,
} from '@aws-sdk/client-kms';
import { LambdaClient, ListFunctionsCommand } from '@aws-sdk/client-lambda';
import { ListTopicsCommand, SNSClient } from '@aws-sdk/client-sns';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { AwsError } from '../../../local/aws/operation.ts';
import { StsService } from '../../../local/sts/sts-service.ts';
import { echoJson } from './echo-service.ts';
import { allow, type EmulatedAws, startAws, testRole } from './emulated-aws.ts';

let aws: EmulatedAws;
const calls: Record<string, unknown>[] = [];

beforeAll(async () => {
  aws = await startAws(({ credentials }) => [echoJson(calls), new StsService({ credentials }).api]);
});
afterAll(() => aws.close());
beforeEach(() => {
  calls.length = 0;
  aws.logged.length = 0;
});

describe('the AWS endpoint', () => {
  it('runs a JSON operation for an SDK client, bytes included', async () => {
    const result = await new KMSClient(aws.client()).send(new GenerateRandomCommand({ NumberOfBytes: 8 }));
    expect(Buffer.from(result.Plaintext ?? []).toString()).toBe('echo');
    expect(result.$metadata.requestId).toMatch(/^[0-9a-f-]{36}$/);
    expect(calls).toEqual([
      { input: { NumberOfBytes: 8 }, principal: expect.objectContaining({ kind: 'operator' }) },
    ]);
  });

  it('answers query operations in XML that an SDK client reads', async () => {
    const identity = await new STSClient(aws.client()).send(new GetCallerIdentityCommand({}));
    expect(identity).toMatchObject({
      Account: '000000000000',
      Arn: 'arn:aws:iam::000000000000:user/operator',
    });
  });

  it('refuses what a role was not granted, naming role, action and resource, before it runs', async () => {
    const client = new KMSClient(aws.asRole(allow('kms:Decrypt')));
    await expect(client.send(new GenerateRandomCommand({ NumberOfBytes: 8 }))).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message:
        'User: arn:aws:sts::000000000000:assumed-role/test-role/mainstay is not authorized to perform: ' +
        'kms:GenerateRandom on resource: "*" because no identity-based policy allows the kms:GenerateRandom action',
      $metadata: { httpStatusCode: 400 },
    });
    expect(calls).toEqual([]);
  });

  it.each([
    ['an operation', () => new KMSClient(aws.client()).send(new ListAliasesCommand({})), 'kms:ListAliases'],
    [
      'a service with paths',
      () => new LambdaClient(aws.client()).send(new ListFunctionsCommand({})),
      'lambda:GET',
    ],
    ['a service', () => new SNSClient(aws.client()).send(new ListTopicsCommand({})), 'sns:ListTopics'],
  ])('names %s that is not emulated', async (_, send, named) => {
    await expect(send()).rejects.toMatchObject({
      name: 'NotEmulated',
      message: expect.stringContaining(named),
      $metadata: { httpStatusCode: 501, attempts: 1 },
    });
  });

  it('is not asked again by an SDK when it does not emulate something', async () => {
    const client = new KMSClient({ ...aws.client(), maxAttempts: 3 });
    const attempt = client.send(new ListAliasesCommand({}));
    await expect(attempt).rejects.toMatchObject({ name: 'NotEmulated', $metadata: { attempts: 1 } });
  });

  it('passes modelled errors on and hides none of its own failures', async () => {
    const client = new KMSClient(aws.client());
    await expect(client.send(new DescribeKeyCommand({ KeyId: 'x' }))).rejects.toMatchObject({
      name: 'NotFoundException',
      message: 'No such key',
    });
    await expect(client.send(new ListKeysCommand({}))).rejects.toMatchObject({
      name: 'InternalFailure',
      $metadata: { httpStatusCode: 500 },
    });
    expect(aws.logged).toEqual([expect.stringContaining('a bug')]);
  });

  it.each([
    ['secret', { secretAccessKey: 'wrong' }, 'InvalidSignatureException'],
    ['access key', { accessKeyId: 'AKIAUNKNOWN' }, 'UnrecognizedClientException'],
    ['session token', { sessionToken: 'eyJ9.abc' }, 'UnrecognizedClientException'],
  ])('refuses a wrong %s', async (_, wrong, code) => {
    const client = new KMSClient(aws.client({ ...aws.credentials.operator(), ...wrong }));
    await expect(client.send(new GenerateRandomCommand({ NumberOfBytes: 1 }))).rejects.toMatchObject({
      name: code,
    });
    expect(calls).toEqual([]);
  });

  it('refuses a request signed for another region, naming both', async () => {
    const client = new STSClient({ ...aws.client(), region: 'eu-west-1' });
    await expect(client.send(new GetCallerIdentityCommand({}))).rejects.toMatchObject({
      name: 'SignatureDoesNotMatch',
      message: 'The request is signed for eu-west-1; the local runtime is in us-east-1',
    });
  });

  it('refuses a clock that is 20 minutes off', async () => {
    const client = new STSClient({ ...aws.client(), systemClockOffset: -20 * 60_000 });
    const attempt = client.send(new GetCallerIdentityCommand({}));
    await expect(attempt).rejects.toMatchObject({ name: 'SignatureDoesNotMatch' });
  });

  it('refuses unsigned requests and bodies beyond its limit', async () => {
    const unsigned = await fetch(aws.endpoint.url, {
      method: 'POST',
      headers: { 'x-amz-target': 'TrentService.GenerateRandom' },
      body: '{}',
    });
    expect(unsigned.status).toBe(400);
    expect(await unsigned.json()).toMatchObject({ __type: 'MissingAuthenticationTokenException' });
    const client = new KMSClient(aws.client());
    const huge = client.send(new DescribeKeyCommand({ KeyId: 'x'.repeat(17 * 1024 * 1024) }));
    await expect(huge).rejects.toMatchObject({ name: 'RequestEntityTooLarge' });
  });

  it('calls an operation in-process with the same authorization', async () => {
    const principal = { kind: 'role', roleArn: testRole, arn: testRole } as const;
    aws.asRole(allow('kms:GenerateRandom'));
    expect(await aws.endpoint.call(principal, 'kms', 'GenerateRandom', {})).toEqual({
      Plaintext: Buffer.from('echo'),
    });
    aws.asRole();
    const refused = aws.endpoint.call(principal, 'kms', 'GenerateRandom', {});
    await expect(refused).rejects.toMatchObject({ code: 'AccessDeniedException' });
    const missing = aws.endpoint.call(principal, 'kms', 'toString', {});
    await expect(missing).rejects.toThrow(/does not emulate kms:toString/);
    await expect(missing).rejects.toBeInstanceOf(AwsError);
  });

  it('survives clients that send rubbish or go away in the middle', async () => {
    for (const text of [
      'GET / HTTP/9\r\n\r\n',
      'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf',
    ]) {
      await new Promise<void>((resolve) => {
        const socket = connect(Number(new URL(aws.endpoint.url).port), '127.0.0.1', () => socket.write(text));
        socket.on('error', () => resolve());
        socket.on('close', () => resolve());
        setTimeout(() => socket.destroy(), 50);
      });
    }
    await new STSClient(aws.client()).send(new GetCallerIdentityCommand({}));
    expect(aws.logged).toEqual([]);
  });
});
