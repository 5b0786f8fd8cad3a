import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DependencyError } from '../../../functions/shared/dependency.ts';
import { type QueryPage, queryPages } from '../../../functions/shared/query-pages.ts';
import { startDynamo, type TestDynamo } from './dynamodb.ts';

let dynamo: TestDynamo;
beforeAll(async () => {
  dynamo = await startDynamo('things');
});
afterAll(() => dynamo.stop());

const put = (pk: string, sk: string, kept = true) =>
  dynamo.client.send(new PutCommand({ TableName: 'things', Item: { pk, sk, kept } }));
const pagesOf = (pk: string, TableName = 'things') => {
  const query = {
    ...{ TableName, Limit: 2, ConsistentRead: true, KeyConditionExpression: 'pk = :pk' },
    ...{ ExpressionAttributeValues: { ':pk': pk, ':yes': true }, FilterExpression: 'kept = :yes' },
  };
  return queryPages(dynamo.client, query, 'Query things');
};
const readAll = async (pages: AsyncIterable<QueryPage>) => {
  const found = [];
  for await (const { items, more } of pages) found.push({ names: items.map(({ sk }) => sk), more });
  return found;
};

describe('the pages of a query', () => {
  it('come in order up to the last one, which says that it is; what a filter left empty is a page as well', async () => {
    for (const sk of ['a', 'b', 'c', 'd', 'e']) await put('five', sk, sk !== 'c' && sk !== 'd');
    expect(await readAll(pagesOf('five'))).toEqual([
      { names: ['a', 'b'], more: true },
      { names: [], more: true },
      { names: ['e'], more: false },
    ]);
    expect(await readAll(pagesOf('none'))).toEqual([{ names: [], more: false }]);
  });

  it('are read when they are wanted', async () => {
    for (const sk of ['a', 'b', 'c']) await put('late', sk);
    const pages = pagesOf('late');
    await pages.next();
    await put('late', 'd');
    expect((await readAll(pages)).flatMap(({ names }) => names)).toEqual(['c', 'd']);
  });

  it('end with an error that names the query', async () => {
    const asked = pagesOf('five', 'nowhere').next();
    await expect(asked).rejects.toThrow(DependencyError);
    await expect(asked).rejects.toThrow('DynamoDB did not complete Query things: ResourceNotFoundException');
  });
});
