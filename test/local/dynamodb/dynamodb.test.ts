import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  DeleteItemCommand,
  DescribeContinuousBackupsCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  DynamoDBClient,
  GetItemCommand,
  ListTablesCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import {
  QueryCommand as DocumentQuery,
  DynamoDBDocumentClient,
  PutCommand,
  paginateQuery,
} from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AddressListStore } from '../../../functions/access/addresses/address-list-store.ts';
import { KeyUse } from '../../../functions/access/keys/key-use.ts';
import { CounterStore } from '../../../functions/access/limits/counter-store.ts';
import { RefusalStore } from '../../../functions/access/limits/refusal-store.ts';
import { gateItems } from '../../../lib/access/gate-items.ts';
import { DynamoDbService } from '../../../local/dynamodb/dynamodb-service.ts';
import { KmsService } from '../../../local/kms/kms-service.ts';
import { accountId, allow, type EmulatedAws, region, startAws } from '../aws/emulated-aws.ts';
import { itemsTableDefinition, itemsTable as TableName } from './items-table.ts';

let aws: EmulatedAws;
let service: DynamoDbService;
let kms: KmsService;
let client: DynamoDBClient;
let arn: string;

beforeAll(async () => {
  aws = await startAws(async ({ directory, authorizer }) => {
    kms = new KmsService({ directory, authorizer });
    service = new DynamoDbService({ directory, authorizer, kms });
    await service.start();
    return [service.api];
  });
  ({ arn } = await service.ensureTable(itemsTableDefinition));
  client = new DynamoDBClient(aws.client());
});
afterAll(async () => {
  await service.stop();
  await aws.close();
});

const itemKey = (pk: string, sk = 'META') => ({ pk: { S: pk }, sk: { S: sk } });

describe('items', () => {
  it('are written, read, updated and deleted under conditions', async () => {
    const Item = { ...itemKey('a'), bytes: { B: Buffer.from([0, 255]) }, count: { N: '1' } };
    const create = new PutItemCommand({ TableName, Item, ConditionExpression: 'attribute_not_exists(pk)' });
    await client.send(create);
    await expect(client.send(create)).rejects.toMatchObject({ name: 'ConditionalCheckFailedException' });
    const updated = await client.send(
      new UpdateItemCommand({
        TableName,
        Key: itemKey('a'),
        UpdateExpression: 'SET #count = #count + :one',
        ConditionExpression: '#count = :one',
        ExpressionAttributeNames: { '#count': 'count' },
        ExpressionAttributeValues: { ':one': { N: '1' } },
        ReturnValues: 'ALL_NEW',
      }),
    );
    expect(updated.Attributes?.count).toEqual({ N: '2' });
    const { Item: read } = await client.send(new GetItemCommand({ TableName: arn, Key: itemKey('a') }));
    expect(Buffer.from(read?.bytes?.B ?? [])).toEqual(Buffer.from([0, 255]));
    await client.send(new DeleteItemCommand({ TableName, Key: itemKey('a') }));
    expect(await client.send(new GetItemCommand({ TableName, Key: itemKey('a') }))).not.toHaveProperty(
      'Item',
    );
  });

  it('come with a failed condition when asked for', async () => {
    await client.send(new PutItemCommand({ TableName, Item: { ...itemKey('b'), state: { S: 'running' } } }));
    const attempt = client.send(
      new PutItemCommand({
        TableName,
        Item: itemKey('b'),
        ConditionExpression: 'attribute_not_exists(pk)',
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      }),
    );
    await expect(attempt).rejects.toMatchObject({
      name: 'ConditionalCheckFailedException',
      message: 'The conditional request failed',
      Item: { ...itemKey('b'), state: { S: 'running' } },
    });
  });

  it('are paged in order by table and index, from the document client as well', async () => {
    const documents = DynamoDBDocumentClient.from(client);
    for (let index = 0; index < 25; index += 1) {
      const sk = String(index).padStart(3, '0');
      await documents.send(
        new PutCommand({ TableName, Item: { pk: 'page', sk, gsi1pk: 'LIST', gsi1sk: `n${24 - index}` } }),
      );
    }
    const query = {
      TableName,
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
      ExpressionAttributeValues: { ':pk': 'page', ':prefix': '0' },
    };
    const seen: string[] = [];
    for await (const { Items } of paginateQuery({ client: documents, pageSize: 10 }, query)) {
      seen.push(...(Items ?? []).map(({ sk }) => String(sk)));
    }
    expect(seen).toEqual(Array.from({ length: 25 }, (_, index) => String(index).padStart(3, '0')));
    const { Items } = await documents.send(
      new DocumentQuery({
        TableName,
        IndexName: 'gsi1',
        KeyConditionExpression: 'gsi1pk = :list',
        ExpressionAttributeValues: { ':list': 'LIST' },
        ScanIndexForward: false,
        Limit: 3,
      }),
    );
    expect(Items?.map(({ gsi1sk }) => gsi1sk)).toEqual(['n9', 'n8', 'n7']);
  });

  it('are written and read in batches', async () => {
    const puts = ['x', 'y'].map((pk) => ({ PutRequest: { Item: itemKey(`batch-${pk}`) } }));
    await client.send(new BatchWriteItemCommand({ RequestItems: { [TableName]: puts } }));
    const { Responses } = await client.send(
      new BatchGetItemCommand({
        RequestItems: { [TableName]: { Keys: [itemKey('batch-x'), itemKey('batch-none')] } },
      }),
    );
    expect(Responses?.[TableName]).toEqual([itemKey('batch-x')]);
  });
});

describe('what is not there', () => {
  it('says so: transactions, unknown tables, unknown members', async () => {
    const transaction = client.send(
      new TransactWriteItemsCommand({ TransactItems: [{ Put: { TableName, Item: itemKey('t') } }] }),
    );
    await expect(transaction).rejects.toMatchObject({
      name: 'NotEmulated',
      message: expect.stringContaining('dynamodb:TransactWriteItems'),
    });
    const missing = client.send(new GetItemCommand({ TableName: 'no-such-table', Key: itemKey('a') }));
    await expect(missing).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    const unknown = aws.endpoint.call({ kind: 'operator', arn: 'x' }, 'dynamodb', 'GetItem', {
      TableName,
      Key: itemKey('a'),
      Unheard: true,
    });
    await expect(unknown).rejects.toThrow(/does not emulate Unheard of dynamodb:GetItem/);
  });

  it('keeps dynalite’s own errors', async () => {
    const wrong = client.send(new GetItemCommand({ TableName, Key: { pk: { S: 'a' } } }));
    await expect(wrong).rejects.toMatchObject({
      name: 'ValidationException',
      message: 'The provided key element does not match the schema',
    });
  });
});

describe('tables', () => {
  it('are described with time to live and point-in-time recovery', async () => {
    const { Table } = await client.send(new DescribeTableCommand({ TableName }));
    expect(Table).toMatchObject({ TableArn: arn, TableStatus: 'ACTIVE', DeletionProtectionEnabled: true });
    const ttl = await client.send(new DescribeTimeToLiveCommand({ TableName }));
    expect(ttl.TimeToLiveDescription).toEqual({ TimeToLiveStatus: 'ENABLED', AttributeName: 'expiresAt' });
    const backups = await client.send(new DescribeContinuousBackupsCommand({ TableName }));
    expect(backups.ContinuousBackupsDescription?.PointInTimeRecoveryDescription).toMatchObject({
      PointInTimeRecoveryStatus: 'ENABLED',
      LatestRestorableDateTime: expect.any(Date),
    });
    expect((await client.send(new ListTablesCommand({}))).TableNames).toContain(TableName);
  });

  it('gain and lose indexes with the entries of items that are there', async () => {
    const definition = { ...itemsTableDefinition, TableName: 'growing' };
    const { GlobalSecondaryIndexes: _, ...bare } = definition;
    const attributes = { AttributeDefinitions: bare.AttributeDefinitions.slice(0, 2) };
    await service.ensureTable({ ...bare, ...attributes });
    const Item = { ...itemKey('a'), gsi1pk: { S: 'LIST' }, gsi1sk: { S: '1' } };
    await client.send(new PutItemCommand({ TableName: 'growing', Item }));
    await service.ensureTable(definition);
    const scan = new ScanCommand({ TableName: 'growing', IndexName: 'gsi1' });
    expect((await client.send(scan)).Items).toEqual([Item]);
    await service.ensureTable({ ...bare, ...attributes });
    await expect(client.send(scan)).rejects.toThrow(/does not have the specified index/);
  });

  it('keep their key', async () => {
    const other = { ...itemsTableDefinition, KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }] };
    await expect(service.ensureTable(other)).rejects.toThrow(/exists with another key/);
  });
});

describe('who may read and write', () => {
  it('depends on action, table and index', async () => {
    const reader = new DynamoDBClient(aws.asRole(allow('dynamodb:Query', `${arn}/index/*`)));
    const query = { TableName, ExpressionAttributeValues: { ':v': { S: 'LIST' } } };
    await reader.send(
      new QueryCommand({ ...query, IndexName: 'gsi1', KeyConditionExpression: 'gsi1pk = :v' }),
    );
    const onTable = reader.send(new QueryCommand({ ...query, KeyConditionExpression: 'pk = :v' }));
    await expect(onTable).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: expect.stringContaining(`dynamodb:Query on resource: "${arn}"`),
    });
  });

  it('covers every table of a batch', async () => {
    const half = new DynamoDBClient(aws.asRole(allow('dynamodb:BatchGetItem', arn)));
    const Keys = [itemKey('a')];
    await half.send(new BatchGetItemCommand({ RequestItems: { [TableName]: { Keys } } }));
    const both = { [TableName]: { Keys }, growing: { Keys } };
    await expect(half.send(new BatchGetItemCommand({ RequestItems: both }))).rejects.toThrow(
      /table\/growing/,
    );
  });

  describe('can be held to partition keys', () => {
    const heldTo = (action: string | string[], ...keys: string[]) =>
      new DynamoDBClient(
        aws.asRole({
          ...allow(action, [arn, `${arn}/index/*`]),
          Condition: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': keys } },
        }),
      );
    const values = { ':pk': { S: 'COUNT#a' }, ':sk': { S: 'ADDRESSES' } };
    const mine = itemKey('COUNT#a');
    const others = itemKey('ADDRESSES');
    const put = { PutRequest: { Item: others } };
    const remove = { DeleteRequest: { Key: others } };
    const cases: [string, (client: DynamoDBClient, key: typeof mine) => Promise<unknown>][] = [
      ['GetItem', (client, Key) => client.send(new GetItemCommand({ TableName, Key }))],
      ['PutItem', (client, Item) => client.send(new PutItemCommand({ TableName, Item }))],
      ['UpdateItem', (client, Key) => client.send(new UpdateItemCommand({ TableName: arn, Key }))],
      ['DeleteItem', (client, Key) => client.send(new DeleteItemCommand({ TableName, Key }))],
      [
        'BatchGetItem',
        (client, key) =>
          client.send(
            new BatchGetItemCommand({
              RequestItems: { [TableName]: { Keys: [mine, { ...key, sk: { S: '2' } }] } },
            }),
          ),
      ],
      [
        'Query',
        (client, { pk }) =>
          client.send(
            new QueryCommand({
              TableName,
              // The sort key is compared for equality as well, and comes first.
              KeyConditionExpression: '#s = :sk AND #p = :pk',
              ExpressionAttributeNames: { '#s': 'sk', '#p': 'pk' },
              ExpressionAttributeValues: { ...values, ':pk': pk },
            }),
          ),
      ],
    ];

    it.each(cases)('by %s', async (action, send) => {
      const client = heldTo(`dynamodb:${action}`, 'COUNT#*', 'KEY#*');
      await send(client, mine);
      await expect(send(client, others)).rejects.toMatchObject({ name: 'AccessDeniedException' });
    });

    it.each([
      ['puts', put],
      ['deletes', remove],
    ])('by a batch that %s', async (_, request) => {
      const client = heldTo('dynamodb:BatchWriteItem', 'COUNT#*');
      const batch = (requests: (typeof put | typeof remove)[]) =>
        client.send(new BatchWriteItemCommand({ RequestItems: { [TableName]: requests } }));
      await batch([{ PutRequest: { Item: mine } }]);
      await expect(batch([{ PutRequest: { Item: mine } }, request])).rejects.toMatchObject({
        name: 'AccessDeniedException',
      });
    });

    it('of an index that is queried', async () => {
      const client = heldTo('dynamodb:Query', 'COUNT#*');
      const query = (partition: string) =>
        client.send(
          new QueryCommand({
            TableName,
            IndexName: 'gsi1',
            KeyConditions: {
              gsi1pk: { ComparisonOperator: 'EQ', AttributeValueList: [{ S: partition }] },
            },
          }),
        );
      await query('COUNT#a');
      await expect(query('ADDRESSES')).rejects.toMatchObject({ name: 'AccessDeniedException' });
    });

    it('that are bytes, in base64, also when a caller in this process gives them as they are', async () => {
      const definition = {
        ...itemsTableDefinition,
        TableName: 'bytes',
        AttributeDefinitions: itemsTableDefinition.AttributeDefinitions.map((attribute) =>
          attribute.AttributeName === 'pk' ? { ...attribute, AttributeType: 'B' } : attribute,
        ),
      };
      await service.ensureTable(definition);
      const Key = { pk: { B: Buffer.from('held') }, sk: { S: 'a' } };
      const context = {
        principal: { kind: 'operator', arn: 'x' },
        accountId,
        region,
        requestId: 'r',
      } as const;
      const asked = await service.api.operations.GetItem?.authorize({ TableName: 'bytes', Key }, context);
      expect(asked).toMatchObject([{ context: { 'dynamodb:LeadingKeys': ['aGVsZA=='] } }]);
    });

    it('except by a scan, which names none: with ForAllValues it is let through, as on AWS', async () => {
      const client = heldTo('dynamodb:Scan', 'COUNT#*');
      await client.send(new ScanCommand({ TableName }));
    });

    it('so that a function’s gate counts and notes uses, and does not change the lists of addresses', async () => {
      const settings = aws.asRole(allow('dynamodb:GetItem', arn), {
        ...allow('dynamodb:UpdateItem', arn),
        Condition: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': [...gateItems] } },
      });
      const client = DynamoDBDocumentClient.from(new DynamoDBClient(settings));
      const now = Date.parse('2026-11-21T00:00:00Z');
      const quota = { requests: 10, windowMs: 60_000, algorithm: 'sliding-window' } as const;
      const counters = new CounterStore(client, TableName, 5_000);
      const taken = await counters.take({ quota, key: 'k', wanted: 1, seen: undefined, now });
      expect(taken.units).toBe(1);
      const refused = { policy: 'free', subject: 'k', route: 'GET /', count: 1, lastAt: now };
      await new RefusalStore(client, TableName).add(refused);
      const use = new KeyUse(client, TableName, () => now);
      await use.note('k');
      const asOperator = DynamoDBDocumentClient.from(new DynamoDBClient(aws.client()));
      const noted = await new KeyUse(asOperator, TableName, () => now).lastUsed(['k']);
      expect([...noted.keys()]).toEqual(['k']);
      const entry = { list: 'allow', network: '203.0.113.7/32', addedAt: '', addedBy: 'k' } as const;
      const change = (by: DynamoDBDocumentClient) =>
        new AddressListStore(by, TableName).change(() => [entry]);
      await expect(change(client)).rejects.toMatchObject({ name: 'AccessDeniedException' });
      expect(await new AddressListStore(client, TableName).read()).toEqual([]);
      await change(asOperator);
      expect(await new AddressListStore(client, TableName).read()).toEqual([entry]);
    });
  });

  it('needs the customer key of a table through DynamoDB', async () => {
    const key = await kms.ensureKey({ name: 'tables' });
    const sealed = await service.ensureTable({
      ...itemsTableDefinition,
      TableName: 'sealed',
      kmsKeyId: key.arn,
    });
    const read = (...statements: object[]) =>
      new DynamoDBClient(aws.asRole(allow('dynamodb:GetItem', sealed.arn), ...statements)).send(
        new GetItemCommand({ TableName: 'sealed', Key: itemKey('a') }),
      );
    await expect(read()).rejects.toThrow(/kms:Decrypt/);
    const via = { StringEquals: { 'kms:ViaService': 'dynamodb.us-east-1.amazonaws.com' } };
    await read(allow('kms:Decrypt', key.arn, via));
  });
});
