import '../shared/output.ts';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { ScanCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import * as z from 'zod';
import { hashKey, idOfKey } from '../../../functions/access/keys/api-keys.ts';
import { KeyStore } from '../../../functions/access/keys/key-store.ts';
import { latestVersion } from '../../../functions/bootstrap/sql.ts';
import { MapStore } from '../../../functions/shards/map/map-store.ts';
import { ShardReader } from '../../../functions/shared/shards.ts';
import { startDynamo, type TestDynamo } from '../shared/dynamodb.ts';
import { type AwsCall, type AwsReply, type FakeAws, startFakeAws } from '../shared/fake-aws.ts';
import { lambdaContext } from '../shared/lambda.ts';
import { takeOutput, takeRecords } from '../shared/output.ts';

const pepper = 'a pepper';
const masterPassword = 'the master password';
const arn = (rest: string) => `arn:aws:${rest}`;
const adminSecret = arn('secretsmanager:us-east-1:000000000000:secret:admin');
const pepperSecret = arn('secretsmanager:us-east-1:000000000000:secret:pepper');
const masterSecret = arn('secretsmanager:us-east-1:000000000000:secret:master');

let dynamo: TestDynamo;
let aws: FakeAws;
let cloudFormation: Server;
let responseUrl: string;
let handler: (event: unknown, context: ReturnType<typeof lambdaContext>) => Promise<unknown>;

/** What the fake services hold, and what CloudFormation was told. */
let secrets: Map<string, string>;
let schedules: Map<string, unknown>;
let prepare: (call: AwsCall) => AwsReply;
let answers: { status: number; body: Record<string, unknown>; contentType: string | undefined }[];
let urlFailures: number;

const prepared = (call: AwsCall): AwsReply => {
  const { shard } = z.object({ shard: z.object({ name: z.string() }) }).parse(call.input);
  return { body: { shard: shard.name, version: 1, applied: [1], hidden: [] } };
};

function reply(call: AwsCall): AwsReply {
  const secretId = String(call.input.SecretId);
  if (call.operation === 'GetSecretValue') {
    const value = secrets.get(secretId);
    if (value === undefined)
      return { status: 400, body: { __type: 'ResourceNotFoundException', message: 'no value' } };
    return { body: { SecretString: value } };
  }
  if (call.operation === 'PutSecretValue') {
    secrets.set(secretId, String(call.input.SecretString));
    return { body: {} };
  }
  if (call.operation.startsWith('POST /schedules/')) {
    const name = call.operation.slice('POST /schedules/'.length);
    if (schedules.has(name)) {
      return {
        status: 409,
        headers: { 'x-amzn-errortype': 'ConflictException' },
        body: { Message: 'exists' },
      };
    }
    schedules.set(name, call.input);
    return { body: { ScheduleArn: arn('scheduler:x') } };
  }
  if (call.operation.endsWith('/invocations')) return prepare(call);
  return { status: 500, body: { message: `unexpected ${call.operation}` } };
}

beforeAll(async () => {
  dynamo = await startDynamo('shards', 'access', 'recovery');
  aws = await startFakeAws(reply);
  cloudFormation = createServer(async (request, response) => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const status = urlFailures-- > 0 ? 503 : 200;
    const contentType = request.headers['content-type'];
    answers.push({ status, contentType, body: JSON.parse(Buffer.concat(chunks).toString()) });
    response.writeHead(status).end();
  });
  cloudFormation.listen(0, '127.0.0.1');
  await once(cloudFormation, 'listening');
  const address = cloudFormation.address();
  responseUrl = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/answer?X-Amz-Signature=abc`;
  Object.assign(process.env, {
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_ENDPOINT_URL: aws.settings.endpoint,
    AWS_ENDPOINT_URL_DYNAMODB: dynamo.url,
    SHARDS_TABLE: 'shards',
    ACCESS_TABLE: 'access',
    RECOVERY_TABLE: 'recovery',
    KEY_PEPPER_SECRET_ARN: pepperSecret,
    ADMIN_KEY_SECRET_ARN: adminSecret,
    DATABASE_FUNCTION_ARN: arn('lambda:us-east-1:000000000000:function:database'),
    SCHEDULE_GROUP: 'mainstay-test',
    SCHEDULE_ROLE_ARN: arn('iam::000000000000:role/schedules'),
    BACKUP_STATE_MACHINE_ARN: arn('states:us-east-1:000000000000:stateMachine:backup'),
  });
  ({ handler } = await import('../../../functions/bootstrap/custom-resource.ts'));
});

afterAll(async () => {
  await dynamo.stop();
  await aws.stop();
  cloudFormation.closeAllConnections();
  cloudFormation.close();
});

beforeEach(() => {
  secrets = new Map([
    [pepperSecret, pepper],
    [masterSecret, JSON.stringify({ username: 'mainstay_master', password: masterPassword })],
  ]);
  schedules = new Map();
  prepare = prepared;
  answers = [];
  urlFailures = 0;
  aws.calls.length = 0;
  takeOutput();
});

const shard = (name: string, members = {}) => ({
  Name: name,
  ClusterIdentifier: `cluster-${name}`,
  ResourceId: `cluster-ID${name}`,
  Database: 'platform',
  WriterHost: `${name}.example.com`,
  WriterPort: '5432',
  MasterSecretArn: masterSecret,
  ...members,
});

async function send(
  requestType: string,
  properties: object = { Shards: [shard('shard-a')] },
  remainingMs = 60_000,
) {
  await handler(
    {
      RequestType: requestType,
      ResponseURL: responseUrl,
      StackId: 'stack',
      RequestId: `request-${requestType}`,
      LogicalResourceId: 'Bootstrap',
      ResourceType: 'Custom::MainstayBootstrap',
      ...(requestType === 'Create' ? {} : { PhysicalResourceId: 'mainstay-bootstrap' }),
      ResourceProperties: { ServiceToken: arn('lambda:x'), ...properties },
    },
    lambdaContext(remainingMs),
  );
  return answers.at(-1)?.body ?? {};
}

const shards = () => new ShardReader(dynamo.client, 'shards').list();
const keyItems = async () => (await dynamo.client.send(new ScanCommand({ TableName: 'access' }))).Items ?? [];

describe('creating a deployment', () => {
  it('enters the shards, makes the admin key, creates the schedules and has the databases prepared', async () => {
    const users = { Schema: 'app', Table: 'users', Key: 'id', Tenant: 'tenant_id' };
    const answer = await send('Create', { Shards: [shard('shard-a'), shard('shard-b')], Counted: [users] });
    expect(answer).toMatchObject({
      Status: 'SUCCESS',
      PhysicalResourceId: 'mainstay-bootstrap',
      StackId: 'stack',
      RequestId: 'request-Create',
      LogicalResourceId: 'Bootstrap',
      Data: { Version: String(latestVersion), AdoptedShards: '' },
    });
    expect(answers[0]?.contentType).toBeUndefined();

    expect(await shards()).toEqual([
      {
        name: 'shard-a',
        clusterIdentifier: 'cluster-shard-a',
        resourceId: 'cluster-IDshard-a',
        database: 'platform',
        writer: { host: 'shard-a.example.com', port: 5432 },
        epoch: 1,
        state: 'active',
      },
      expect.objectContaining({ name: 'shard-b' }),
    ]);
    expect(await new MapStore(dynamo.client, 'shards').read()).toMatchObject({
      epoch: 1,
      ranges: [
        { first: 0, last: 2047, shard: 'shard-a' },
        { first: 2048, last: 4095, shard: 'shard-b' },
      ],
    });

    const { apiKey } = z.object({ apiKey: z.string() }).parse(JSON.parse(secrets.get(adminSecret) ?? ''));
    expect(await new KeyStore(dynamo.client, 'access').find(idOfKey(apiKey) ?? '')).toMatchObject({
      hash: hashKey(pepper, apiKey),
      scopes: ['admin'],
      state: 'active',
    });

    expect([...schedules.keys()]).toEqual(['full-backup-daily', 'incremental-backup']);
    expect(schedules.get('full-backup-daily')).toMatchObject({
      GroupName: 'mainstay-test',
      ScheduleExpression: 'cron(0 2 * * ? *)',
      ScheduleExpressionTimezone: 'UTC',
      State: 'ENABLED',
      Target: {
        Arn: process.env.BACKUP_STATE_MACHINE_ARN,
        RoleArn: process.env.SCHEDULE_ROLE_ARN,
        Input: '{"trigger":"schedule","type":"full"}',
      },
    });

    const invocations = aws.calls.filter(({ operation }) => operation.endsWith('/invocations'));
    expect(invocations.map(({ input }) => input)).toMatchObject([
      { shard: { name: 'shard-a', host: 'shard-a.example.com', port: 5432, database: 'platform' } },
      {
        shard: { name: 'shard-b' },
        counted: [{ schema: 'app', table: 'users', key: 'id', tenant: 'tenant_id' }],
        master: { username: 'mainstay_master', password: masterPassword },
      },
    ]);
  });

  it('lets neither the master password nor the key reach a log or CloudFormation', async () => {
    secrets.delete(adminSecret);
    await send('Create');
    const apiKey = String(JSON.parse(secrets.get(adminSecret) ?? '{}').apiKey);
    const everything = `${takeOutput().join('\n')}${JSON.stringify(answers)}`;
    expect(everything).not.toContain(masterPassword);
    expect(everything).not.toContain(apiKey.slice(13));
  });

  it('hands its trace on to the function that prepares databases', async () => {
    await send('Create');
    const [line] = takeRecords();
    const invocation = aws.calls.find(({ operation }) => operation.endsWith('/invocations'));
    expect(invocation?.input.traceparent).toContain(line?.traceId);
  });
});

describe('doing it again', () => {
  it('changes nothing that is there: key, schedules and shards that have moved on', async () => {
    await send('Create');
    const keys = await keyItems();
    const secret = secrets.get(adminSecret);
    schedules.set('full-backup-daily', 'changed by its users');
    await dynamo.client.send(
      new UpdateCommand({
        TableName: 'shards',
        Key: { pk: 'SHARD', sk: 'shard-a' },
        UpdateExpression: 'SET epoch = :epoch, writer.host = :host, slots = :slots',
        ExpressionAttributeValues: { ':epoch': 2, ':host': 'promoted.example.com', ':slots': 'kept' },
      }),
    );
    expect(await send('Update')).toMatchObject({ Status: 'SUCCESS' });
    expect(await keyItems()).toEqual(keys);
    expect(secrets.get(adminSecret)).toBe(secret);
    expect(schedules.get('full-backup-daily')).toBe('changed by its users');
    const [promoted] = await shards();
    expect(promoted).toMatchObject({ epoch: 2, writer: { host: 'promoted.example.com' } });
  });

  it('brings a shard up to date that has not moved on, and keeps what others noted about it', async () => {
    await send('Create', { Shards: [shard('shard-c')] });
    await dynamo.client.send(
      new UpdateCommand({
        TableName: 'shards',
        Key: { pk: 'SHARD', sk: 'shard-c' },
        UpdateExpression: 'SET note = :note',
        ExpressionAttributeValues: { ':note': 'kept' },
      }),
    );
    await send('Update', { Shards: [shard('shard-c', { WriterHost: 'new.example.com' })] });
    const { Items = [] } = await dynamo.client.send(new ScanCommand({ TableName: 'shards' }));
    expect(Items.find(({ sk }) => sk === 'shard-c')).toMatchObject({
      writer: { host: 'new.example.com' },
      note: 'kept',
    });
  });

  it('does not bring an admin key back that somebody has removed', async () => {
    secrets.set(adminSecret, JSON.stringify({ apiKey: `msk_abcdefgh_${'a'.repeat(43)}` }));
    const before = await keyItems();
    await send('Update');
    expect(await keyItems()).toEqual(before);
  });

  it('replaces a value that is no API key', async () => {
    secrets.set(adminSecret, 'what the template put there');
    await send('Update');
    expect(JSON.parse(secrets.get(adminSecret) ?? '')).toEqual({ apiKey: expect.stringMatching(/^msk_/) });
  });
});

describe('an adopted cluster', () => {
  it('is left alone; its SQL is in the log', async () => {
    const adopted = shard('shard-x', { MasterSecretArn: undefined });
    const counted = { Schema: 'app', Table: 'users', Key: `the user's id` };
    const answer = await send('Create', { Shards: [adopted], Counted: [counted] });
    expect(answer).toMatchObject({
      Status: 'SUCCESS',
      NoEcho: false,
      Data: { AdoptedShards: 'shard-x' },
    });
    expect(Buffer.byteLength(JSON.stringify(answer))).toBeLessThanOrEqual(4096);
    expect(aws.calls.some(({ operation }) => operation.endsWith('/invocations'))).toBe(false);
    const output = takeOutput().join('');
    expect(output).toContain('GRANT pg_read_all_data TO mainstay_backup');
    expect(output).toContain('mainstay_restore.swap_database');
    expect(output).toContain(`the user''s id`);
    expect((await shards()).map(({ name }) => name)).toContain('shard-x');
  });
});

describe('deleting', () => {
  it('answers at once and removes nothing', async () => {
    expect(await send('Delete', {})).toMatchObject({
      Status: 'SUCCESS',
      PhysicalResourceId: 'mainstay-bootstrap',
    });
    expect(aws.calls).toEqual([]);
  });
});

describe('what goes wrong', () => {
  it('is told to CloudFormation by shard and cause', async () => {
    prepare = (call) =>
      JSON.stringify(call.input).includes('shard-b')
        ? {
            headers: { 'x-amz-function-error': 'Unhandled' },
            body: {
              errorType: 'error',
              errorMessage: 'permission denied to grant role "rds_iam"',
              trace: [],
            },
          }
        : prepared(call);
    const answer = await send('Create', { Shards: [shard('shard-a'), shard('shard-b')] });
    expect(answer).toMatchObject({
      Status: 'FAILED',
      PhysicalResourceId: 'mainstay-bootstrap',
      Reason: expect.stringMatching(/shard-b: error: permission denied to grant role "rds_iam"$/),
    });
  });

  it('is told also when the properties are wrong, by naming them', async () => {
    expect(
      await send('Create', { Shards: [shard('shard-a', { WriterPort: 'x' })], Color: 'red' }),
    ).toMatchObject({
      Status: 'FAILED',
      Reason: expect.stringMatching(/Shards\.0\.WriterPort: .*Color/s),
    });
    expect(aws.calls).toEqual([]);
  });

  it('is told also when the secret of a master user is malformed, without showing it', async () => {
    secrets.set(masterSecret, '{"username": "x", "password": hunter2}');
    const answer = await send('Create');
    expect(answer).toMatchObject({
      Status: 'FAILED',
      Reason: expect.stringContaining('shard-a: its secret'),
    });
    expect(JSON.stringify(answer) + takeOutput().join('')).not.toContain('hunter2');
  });

  it('is told before time runs out', async () => {
    prepare = () => ({ silent: true });
    const started = performance.now();
    const answer = await send('Create', undefined, 15_500);
    expect(answer).toMatchObject({
      Status: 'FAILED',
      Reason: expect.stringContaining('did not end in time'),
    });
    expect(performance.now() - started).toBeLessThan(5_000);
  });

  it('is told again when the answer does not get through', async () => {
    urlFailures = 1;
    await send('Delete');
    expect(answers.map(({ status }) => status)).toEqual([503, 200]);
  });
});
