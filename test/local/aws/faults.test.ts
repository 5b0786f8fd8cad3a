import { GenerateRandomCommand, KMSClient } from '@aws-sdk/client-kms';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { echoJson } from './echo-service.ts';
import { allow, type EmulatedAws, startAws } from './emulated-aws.ts';
import { FaultClient } from './fault-client.ts';

let aws: EmulatedAws;
let remote: FaultClient;
const calls: Record<string, unknown>[] = [];

beforeAll(async () => {
  aws = await startAws(() => [echoJson(calls)]);
  remote = new FaultClient(aws.endpoint.url, aws.credentials.operator());
});
afterAll(() => aws.close());
afterEach(() => {
  aws.endpoint.faults.clear();
  calls.length = 0;
});

const send = (maxAttempts = 1) =>
  new KMSClient({ ...aws.client(), maxAttempts }).send(new GenerateRandomCommand({ NumberOfBytes: 1 }));
const throttled = { status: 400, code: 'ThrottlingException' };

describe('an injected fault', () => {
  it('answers as often as it says, then lets calls through', async () => {
    aws.endpoint.faults.add({ service: 'kms', operation: 'GenerateRandom', times: 2, error: throttled });
    for (const attempt of [send(), send()]) {
      await expect(attempt).rejects.toMatchObject({
        name: 'ThrottlingException',
        $metadata: { httpStatusCode: 400 },
      });
    }
    await send();
    expect(calls).toHaveLength(1);
  });

  it('is what SDKs repeat calls for', async () => {
    aws.endpoint.faults.add({
      service: 'kms',
      times: 1,
      error: { status: 500, code: 'KMSInternalException' },
    });
    aws.endpoint.faults.add({ service: 'kms', times: 1, disconnect: true });
    const { $metadata } = await send(3);
    expect($metadata.attempts).toBe(3);
  });

  it('strikes only the service and operation it names', async () => {
    aws.endpoint.faults.add({ service: 's3', times: 1, error: throttled });
    aws.endpoint.faults.add({ service: 'kms', operation: 'Decrypt', times: 1, error: throttled });
    await send();
    expect(aws.endpoint.faults.list()).toHaveLength(2);
  });

  it('strikes only the caller it names', async () => {
    aws.endpoint.faults.add({ service: 'kms', caller: 'role/test-role', times: 1, error: throttled });
    await send();
    const role = new KMSClient({ ...aws.asRole(allow('*')), maxAttempts: 1 });
    const call = () => role.send(new GenerateRandomCommand({ NumberOfBytes: 1 }));
    await expect(call()).rejects.toMatchObject({ name: 'ThrottlingException' });
    await call();
  });

  it('may be a delay or a closed connection', async () => {
    aws.endpoint.faults.add({ service: 'kms', times: 1, delayMs: 60 });
    const started = performance.now();
    await send();
    expect(performance.now() - started).toBeGreaterThan(50);
    aws.endpoint.faults.add({ service: 'kms', times: 1, disconnect: true });
    await expect(send()).rejects.toThrow(/socket hang up|ECONNRESET/);
  });

  it('strikes calls in-process too', async () => {
    aws.endpoint.faults.add({ service: 'kms', times: 1, error: throttled });
    const call = aws.endpoint.call({ kind: 'operator', arn: 'x' }, 'kms', 'GenerateRandom', {});
    await expect(call).rejects.toMatchObject({ code: 'ThrottlingException' });
  });
});

describe('faults over HTTP', () => {
  it('are added, listed and removed by the operator', async () => {
    await remote.add({ service: 'kms', times: 2, error: throttled });
    await expect(send()).rejects.toMatchObject({ name: 'ThrottlingException' });
    expect(await remote.list()).toEqual([{ service: 'kms', times: 1, error: throttled }]);
    await remote.clear();
    await send();
  });

  it('are refused when they make no sense, and from anyone else', async () => {
    await expect(remote.add({ service: 'kms', times: 1 })).rejects.toThrow(/needs exactly one of/);
    aws.asRole(allow('*'));
    const other = new FaultClient(
      aws.endpoint.url,
      aws.credentials.forRole('arn:aws:iam::000000000000:role/test-role'),
    );
    await expect(other.add({ service: 'kms', times: 1, disconnect: true })).rejects.toThrow(
      /only the operator/,
    );
    const unsigned = await fetch(`${aws.endpoint.url}/_mainstay/faults`, { method: 'POST', body: '{}' });
    expect(unsigned.status).toBe(403);
  });
});
