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
import { DynamoDbService } from '../../../local/dynamodb/dynamodb-service.ts';
import { KmsService } from '../../../local/kms/kms-service.ts';
import { allow, type EmulatedAws, startAws } from '../aws/emulated-aws.ts';
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
