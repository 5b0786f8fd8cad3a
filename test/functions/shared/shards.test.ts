import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ShardReader, shardsCacheMs } from '../../../functions/shared/shards.ts';
import { startDynamo, type TestDynamo } from './dynamodb.ts';

let dynamo: TestDynamo;
beforeAll(async () => {
  dynamo = await startDynamo('shards');
});
afterAll(() => dynamo.stop());

const put = (name: string, members: object = {}) =>
  dynamo.client.send(
    new PutCommand({
      TableName: 'shards',
      Item: {
        pk: 'SHARD',
        sk: name,
        name,
        clusterIdentifier: name,
        resourceId: `cluster-${name}`,
        database: 'platform',
        writer: { host: `${name}.example.com`, port: 5432 },
        epoch: 1,
        state: 'active',
        ...members,
      },
    }),
  );

describe('the shards', () => {
  it('are read in the order of their names, and again when what is known is too old', async () => {
    let now = 0;
    const reader = new ShardReader(dynamo.client, 'shards', () => now);
    const names = async () => (await reader.list()).map(({ name }) => name);
    await put('b');
    await put('a');
    expect(await names()).toEqual(['a', 'b']);
    await put('c');
    now = shardsCacheMs - 1;
    expect(await names()).toEqual(['a', 'b']);
    now = shardsCacheMs;
    expect(await names()).toEqual(['a', 'b', 'c']);
  });

  it('are all read, also when they take more than one page', async () => {
    // A page of DynamoDB ends at 1 MB.
    for (let i = 0; i < 5; i++) await put(`large-${i}`, { note: 'x'.repeat(300_000) });
    const shards = await new ShardReader(dynamo.client, 'shards').list();
    expect(shards.map(({ name }) => name).filter((name) => name.startsWith('large'))).toHaveLength(5);
  });

  it('are refused when one of them is not what it should be', async () => {
    await put('odd', { writer: 'nowhere' });
    await expect(new ShardReader(dynamo.client, 'shards').list()).rejects.toThrow();
  });
});
