import { createHmac } from 'node:crypto';
import { KMSClient } from '@aws-sdk/client-kms';
import { type DynamoDBDocumentClient, QueryCommand } from '@aws-sdk/lib-dynamodb';
import type { AuditEntry } from '../../../../functions/access/audit/entry.ts';
import { chainPartition } from '../../../../functions/access/audit/table-keys.ts';
import type { TestDynamo } from '../../shared/dynamodb.ts';
import { type FakeAws, startFakeAws } from '../../shared/fake-aws.ts';

/** An entry of a request, with what a test wants to be different. */
export const entryOf = (changes: Partial<AuditEntry> = {}): AuditEntry => ({
  at: '2026-11-20T10:00:00.000Z',
  actor: { keyId: 'abcdefgh', name: 'Deployments' },
  action: 'POST /api/access/keys',
  target: '/api/access/keys/ijklmnop',
  sourceIp: '192.0.2.1',
  outcome: 'succeeded',
  status: 201,
  traceId: '0af7651916cd43dd8448eb211c80319c',
  ...changes,
});

/** The items of a chain as they are in the table. */
export async function itemsOf(
  { client }: TestDynamo,
  table: string,
  day: string,
  lane: number,
): Promise<Record<string, unknown>[]> {
  const { Items = [] } = await client.send(
    new QueryCommand({
      TableName: table,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': chainPartition(day, lane) },
      ConsistentRead: true,
    }),
  );
  return Items;
}

/** The client, with `around` in place of each call: `send` makes the call. */
export function intercept(
  client: DynamoDBDocumentClient,
  around: (command: object, send: () => Promise<unknown>) => Promise<unknown>,
): DynamoDBDocumentClient {
  const send = (command: object) =>
    around(command, async () => Reflect.apply(client.send, client, [command]));
  return new Proxy(client, {
    get: (target, name) => (name === 'send' ? send : Reflect.get(target, name)),
  });
}

export interface FakeKms extends FakeAws {
  readonly kms: KMSClient;
}

/** KMS with one HMAC key. */
export async function startKms(): Promise<FakeKms> {
  const macOf = (message: unknown) =>
    createHmac('sha256', 'the key')
      .update(Buffer.from(String(message), 'base64'))
      .digest('base64');
  const aws = await startFakeAws(({ operation, input }) => {
    const mac = macOf(input.Message);
    if (operation === 'GenerateMac') return { body: { Mac: mac } };
    if (operation !== 'VerifyMac') return { status: 400, body: { __type: 'UnsupportedOperationException' } };
    if (input.Mac === mac) return { body: { MacValid: true } };
    return { status: 400, body: { __type: 'KMSInvalidMacException' } };
  });
  const kms = new KMSClient(aws.settings);
  const stop = async () => {
    kms.destroy();
    await aws.stop();
  };
  return { ...aws, kms, stop };
}
