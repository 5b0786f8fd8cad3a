import '../shared/output.ts';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { HttpLambda } from '../../../functions/shared/http-function.ts';
import { startDynamo, type TestDynamo } from '../shared/dynamodb.ts';
import { type FakeAws, startFakeAws } from '../shared/fake-aws.ts';
import { httpEvent, lambdaContext } from '../shared/lambda.ts';
import { takeOutput } from '../shared/output.ts';

let dynamo: TestDynamo;
let aws: FakeAws;
let handler: HttpLambda;

beforeAll(async () => {
  dynamo = await startDynamo('recovery', 'shards', 'limits', 'idempotency', 'audit', 'cdn', 'tracing');
  aws = await startFakeAws(({ operation, input }) => {
    if (operation.startsWith('HEAD /backups')) return { status: 403 };
    if (operation === 'DescribeKey') {
      return {
        body: {
          KeyMetadata: {
            KeyId: 'k',
            KeyState: String(input.KeyId).includes('hmac') ? 'Disabled' : 'Enabled',
          },
        },
      };
    }
    return { status: 500 };
  });
  Object.assign(process.env, {
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_ENDPOINT_URL: aws.settings.endpoint,
    AWS_ENDPOINT_URL_DYNAMODB: dynamo.url,
    MAINSTAY_ENVIRONMENT: 'test',
    MAINSTAY_VERSION: '1.2.3',
    RECOVERY_TABLE: 'recovery',
    ACCESS_TABLE: 'missing',
    SHARDS_TABLE: 'shards',
    LIMITS_TABLE: 'limits',
    IDEMPOTENCY_TABLE: 'idempotency',
    AUDIT_TABLE: 'audit',
    WEBHOOKS_TABLE: 'missing-too',
    CDN_TABLE: 'cdn',
    TRACING_TABLE: 'tracing',
    MONITORING_TABLE: 'missing-as-well',
    ACCESS_POLICY: '{}',
    BACKUPS_BUCKET: 'backups',
    ENCRYPTION_KEY_ARN: 'arn:aws:kms:us-east-1:000000000000:key/encryption',
    HMAC_KEY_ARN: 'arn:aws:kms:us-east-1:000000000000:key/hmac',
  });
  ({ handler } = await import('../../../functions/monitoring/api.ts'));
});

afterAll(async () => {
  await dynamo.stop();
  await aws.stop();
});

async function get(path: string) {
  const { statusCode, body = '' } = await handler(httpEvent({ path }), lambdaContext());
  return { status: statusCode, body: JSON.parse(body) };
}

describe('the state of the API', () => {
  it('is known to be alive without a question to anything', async () => {
    const health = await get('/api/health');
    expect(health).toEqual({
      status: 200,
      body: { status: 'ok', environment: 'test', version: '1.2.3', time: expect.any(String) },
    });
    expect(aws.calls).toEqual([]);
  });

  it('is ready when every dependency is, and otherwise says which is not, and no more', async () => {
    const { status, body } = await get('/api/ready');
    expect(status).toBe(503);
    expect(body).toMatchObject({ status: 'unready', checkedAt: expect.any(String) });
    const states = body.dependencies.map(({ latencyMs, ...rest }: { latencyMs: number }) => rest);
    expect(states).toEqual([
      { name: 'table:recovery', state: 'up' },
      { name: 'table:access', state: 'down', reason: 'absent' },
      { name: 'table:limits', state: 'up' },
      { name: 'table:idempotency', state: 'up' },
      { name: 'table:audit', state: 'up' },
      { name: 'table:webhooks', state: 'down', reason: 'absent' },
      { name: 'table:shards', state: 'up' },
      { name: 'table:cdn', state: 'up' },
      { name: 'table:tracing', state: 'up' },
      { name: 'table:monitoring', state: 'down', reason: 'absent' },
      { name: 'bucket:backups', state: 'down', reason: 'denied' },
      { name: 'key:encryption', state: 'up' },
      { name: 'key:hmac', state: 'down', reason: 'unusable' },
      { name: 'shards', state: 'down', reason: 'unusable' },
    ]);
    expect(JSON.stringify(body)).not.toContain('arn:');
    expect(takeOutput().filter((line) => line.includes('A dependency is down'))).toHaveLength(6);
  });
});
