import { LambdaClient } from '@aws-sdk/client-lambda';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterEach, describe, expect, it } from '@jest/globals';
import { prepareDatabases } from '../../../functions/bootstrap/databases.ts';
import { type AwsReply, type FakeAws, startFakeAws } from '../shared/fake-aws.ts';

let aws: FakeAws | undefined;
afterEach(() => aws?.stop());

const own = {
  Name: 'shard-a',
  ClusterIdentifier: 'cluster',
  ResourceId: 'cluster-ID',
  Database: 'platform',
  WriterHost: 'writer.example.com',
  WriterPort: 5432,
  MasterSecretArn: 'arn:aws:secretsmanager:us-east-1:000000000000:secret:master',
};
const result = { shard: 'shard-a', version: 1, applied: [], hidden: [] };

/** Prepares one shard while the function's replies are these, one after the other. */
async function prepareWith(...replies: AwsReply[]) {
  const fake = await startFakeAws(({ operation }) =>
    operation === 'GetSecretValue'
      ? { body: { SecretString: '{"username":"master","password":"secret"}' } }
      : (replies.shift() ?? { status: 500, body: {} }),
  );
  aws = fake;
  const results = await prepareDatabases([own], {
    lambda: new LambdaClient(fake.settings),
    secrets: new SecretsManagerClient(fake.settings),
    functionArn: 'arn:aws:lambda:us-east-1:000000000000:function:database',
    counted: [],
    traceparent: '00-x',
    pauseMs: 1,
  });
  return { results, invocations: fake.calls.length - 1 };
}

const refusal = (name: string): AwsReply => ({
  status: 400,
  headers: { 'x-amzn-errortype': name },
  body: { message: 'not now' },
});

describe('having a database prepared', () => {
  it('waits for a function, a network and permissions that are only just there', async () => {
    const answer = await prepareWith(
      refusal('AccessDeniedException'),
      refusal('ResourceConflictException'),
      refusal('TooManyRequestsException'),
      { body: result },
    );
    expect(answer).toEqual({ results: [result], invocations: 4 });
  });

  it('gives up in the end', async () => {
    const denied = Array.from({ length: 9 }, () => refusal('AccessDeniedException'));
    await expect(prepareWith(...denied)).rejects.toThrow('shard-a: not now');
    expect(aws?.calls).toHaveLength(5);
  });

  it('does not repeat what the function itself refused', async () => {
    const failed = {
      headers: { 'x-amz-function-error': 'Unhandled' },
      body: { errorType: 'E', errorMessage: 'm' },
    };
    await expect(prepareWith(failed, { body: result })).rejects.toThrow('shard-a: E: m');
    expect(aws?.calls).toHaveLength(2);
  });
});
