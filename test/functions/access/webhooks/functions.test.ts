import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { ScanCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Context } from 'aws-lambda';
import { Webhook } from 'standardwebhooks';
import { AuditTrail } from '../../../../functions/access/audit/audit-trail.ts';
import { tenantIdSchema } from '../../../../functions/access/tenants/tenant.ts';
import { TenantStore } from '../../../../functions/access/tenants/tenant-store.ts';
import { startDynamo, type TestDynamo } from '../../shared/dynamodb.ts';
import { type FakeAws, startFakeAws } from '../../shared/fake-aws.ts';
import { lambdaContext } from '../../shared/lambda.ts';
import { takeRecords } from '../../shared/output.ts';
import { busEvent, portOf, table, traceparent, World, workOf } from './support.ts';

type Handler = (event: unknown, context: Context) => Promise<unknown>;

const received: { headers: IncomingHttpHeaders; body: string }[] = [];
const before = { ...process.env };
let dynamo: TestDynamo;
let aws: FakeAws;
let receiver: Server;
let url: string;
let world: World;
let dispatch: Handler;
let deliver: Handler;

beforeAll(async () => {
  dynamo = await startDynamo(table, 'access', 'audit');
  // What is sealed in these tests is what KMS would give back.
  aws = await startFakeAws(({ operation, input }) => {
    if (operation === 'Decrypt') {
      const [, secret = ''] = Buffer.from(String(input.CiphertextBlob), 'base64').toString().split(' ');
      return { body: { Plaintext: Buffer.from(secret).toString('base64') } };
    }
    if (operation === 'PutEvents') return { body: { FailedEntryCount: 0, Entries: [{ EventId: 'e' }] } };
    return { body: { executionArn: 'arn:aws:states:::execution:e', startDate: 0 } };
  });
  receiver = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      received.push({ headers: incoming.headers, body: Buffer.concat(chunks).toString() });
      response.writeHead(incoming.url === '/gone' ? 410 : 204).end();
    });
  });
  url = `http://127.0.0.1:${await portOf(receiver)}`;
  world = new World(dynamo);
  world.now = Date.now();
  Object.assign(process.env, {
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_ENDPOINT_URL: aws.settings.endpoint,
    AWS_ENDPOINT_URL_DYNAMODB: dynamo.url,
    WEBHOOKS_TABLE: table,
    ACCESS_TABLE: 'access',
    AUDIT_TABLE: 'audit',
    AUDIT_DAYS: '7',
    WEBHOOK_STATE_MACHINE_ARN: 'arn:aws:states:us-east-1:000000000000:stateMachine:webhook',
    EVENT_BUS_NAME: 'mainstay-test',
    ENCRYPTION_KEY_ARN: 'arn:aws:kms:us-east-1:000000000000:key/k',
    WEBHOOK_PRIVATE_NETWORKS: '["127.0.0.0/8"]',
    WEBHOOK_DISABLE_AFTER_DAYS: '5',
  });
  ({ handler: dispatch } = await import('../../../../functions/access/dispatch-webhooks.ts'));
  ({ handler: deliver } = await import('../../../../functions/access/deliver-webhook.ts'));
});
afterAll(async () => {
  process.env = before;
  receiver.closeAllConnections();
  receiver.close();
  await aws.stop();
  await dynamo.stop();
});

describe('the functions of webhooks', () => {
  it('start a delivery for an event on the bus, and make it', async () => {
    const endpoint = await world.endpoint({ url: `${url}/in` });
    const event = busEvent('backup.completed', { backupId: 'b-1', at: new Date(world.now).toISOString() });
    expect(await dispatch(event, lambdaContext())).toEqual({ deliveries: 1 });
    const execution = aws.calls.find(({ operation }) => operation === 'StartExecution')?.input;
    const work = JSON.parse(String(execution?.input));
    expect(execution?.name).toBe(work.deliveryId);
    expect(await deliver(work, lambdaContext())).toEqual({ ...work, outcome: 'ended', waitSeconds: 0 });
    const [request] = received;
    expect(request?.headers['user-agent']).toBe('Mainstay-Webhooks/1.0');
    // The receiver goes on with the trace of the event, below the attempt that called it.
    expect(request?.headers.traceparent).toMatch(new RegExp(`^${traceparent.slice(0, 35)}-[0-9a-f]{16}-01$`));
    expect(request?.headers.traceparent).not.toBe(work.traceparent);
    const headers = {
      'webhook-id': String(request?.headers['webhook-id']),
      'webhook-timestamp': String(request?.headers['webhook-timestamp']),
      'webhook-signature': String(request?.headers['webhook-signature']),
    };
    expect(new Webhook(endpoint.plain).verify(request?.body ?? '', headers)).toMatchObject({
      type: 'backup.completed',
      data: { backupId: 'b-1' },
    });
    const log = JSON.stringify(takeRecords());
    expect(log).toContain('WebhookDeliveriesCompleted');
    for (const secret of [endpoint.plain, endpoint.secret, url]) expect(log).not.toContain(secret);
    await world.endpoints.remove(endpoint);
  });

  it('tell the bus of an alarm, and of an endpoint that is gone', async () => {
    const report = {
      id: 'c4c1c1c9-6542-e61b-6ef0-8c4d36933a92',
      source: 'aws.cloudwatch',
      'detail-type': 'CloudWatch Alarm State Change',
      time: '2026-11-20T10:00:01Z',
      detail: { alarmName: 'mainstay-dev-x', state: { value: 'ALARM', reason: 'r' } },
    };
    expect(await dispatch(report, lambdaContext())).toEqual({ announced: true });
    const endpoint = await world.endpoint({ url: `${url}/gone` });
    await deliver(workOf(await world.delivery(endpoint)), lambdaContext());
    const entries = aws.calls
      .filter(({ operation }) => operation === 'PutEvents')
      .map(({ input }) => JSON.parse(JSON.stringify(input.Entries))[0]);
    expect(entries).toMatchObject([
      { Source: 'mainstay.monitoring', DetailType: 'alarm.changed', EventBusName: 'mainstay-test' },
      { Source: 'mainstay.access', DetailType: 'webhook.disabled', EventBusName: 'mainstay-test' },
    ]);
    const records = JSON.stringify(takeRecords());
    expect(records).toContain('WebhooksDisabled');
    expect(records).not.toContain('AuditEntriesLost');
    const { Items = [] } = await dynamo.client.send(new ScanCommand({ TableName: 'audit' }));
    expect(Items).toMatchObject([
      {
        actor: { name: 'mainstay' },
        action: 'webhook.disabled',
        target: `/api/access/webhooks/${endpoint.id}`,
        outcome: 'succeeded',
        traceId: traceparent.slice(3, 35),
      },
    ]);
    await world.endpoints.remove(endpoint);
  });

  it('tell nothing to the endpoints of a tenant that the table of tenants calls suspended', async () => {
    const tenants = new TenantStore(dynamo.client, 'access');
    const at = new Date(world.now).toISOString();
    const tenant = { id: tenantIdSchema.parse('acme'), name: 'Acme', tier: 'free', createdAt: at } as const;
    await tenants.create({ ...tenant, state: 'active', updatedAt: at }, 'work');
    const endpoint = await world.endpoint({ url: `${url}/in`, tenantId: tenant.id });
    const event = (type: string) => busEvent(type, { tenantId: tenant.id, at });
    expect(await dispatch(event('key.created'), lambdaContext())).toEqual({ deliveries: 1 });
    await tenants.change(tenant.id, { state: 'suspended' }, at);
    expect(await dispatch(event('key.changed'), lambdaContext())).toEqual({ deliveries: 0 });
    const requests = received.length;
    const delivery = await world.delivery(endpoint);
    expect(await deliver(workOf(delivery), lambdaContext())).toMatchObject({ outcome: 'ended' });
    expect(received).toHaveLength(requests);
    expect(await world.deliveries.find(endpoint.id, delivery.id)).toMatchObject({
      state: 'canceled',
      error: { code: 'tenant-suspended' },
    });
  });

  it('disable an endpoint that is gone also when the audit trail takes no entry, and say that it is lost', async () => {
    const endpoint = await world.endpoint({ url: `${url}/gone` });
    const put = jest.spyOn(AuditTrail.prototype, 'append').mockRejectedValueOnce(new Error('full'));
    await deliver(workOf(await world.delivery(endpoint)), lambdaContext());
    put.mockRestore();
    expect(await world.endpoints.find(endpoint.id)).toMatchObject({ state: 'disabled' });
    const records = JSON.stringify(takeRecords());
    expect(records).toContain('AuditEntriesLost');
    expect(records).toContain('webhook.disabled');
    await world.endpoints.remove(endpoint);
  });

  it('end the delivery of an execution that was stopped', async () => {
    const delivery = await world.delivery(await world.endpoint({ url }));
    const event = {
      'detail-type': 'Step Functions Execution Status Change',
      detail: {
        executionArn: 'arn',
        name: delivery.id,
        status: 'ABORTED',
        input: JSON.stringify({ ...workOf(delivery), traceparent }),
      },
    };
    expect(await deliver(event, lambdaContext())).toEqual({ ended: true });
    expect(await deliver(event, lambdaContext())).toEqual({ ended: false });
  });

  it('refuse what is no event of theirs', async () => {
    const other = { ...busEvent('backup.completed'), source: 'aws.s3' };
    await expect(dispatch(other, lambdaContext())).rejects.toMatchObject({ name: 'InvalidEvent' });
    await expect(deliver({ webhookId: 'x' }, lambdaContext())).rejects.toMatchObject({
      name: 'InvalidEvent',
    });
  });
});
