import { type DynamoDBDocumentClient, QueryCommand, type QueryCommandInput } from '@aws-sdk/lib-dynamodb';
import { onDependency } from './dependency.ts';

/** One page of what a query finds. */
export interface QueryPage {
  /** None at all where a filter let nothing through, also when others follow. */
  readonly items: readonly Record<string, unknown>[];
  /** Whether another page follows. It may turn out to be empty. */
  readonly more: boolean;
}

/**
 * What a query finds, page by page. A page is asked for when it is wanted: who stops early has not read what follows. How much is read
 * at most is the caller's to say.
 *
 * @param call names the query in the error.
 * @throws DependencyError
 */
export async function* queryPages(
  client: DynamoDBDocumentClient,
  input: QueryCommandInput,
  call = 'Query',
): AsyncGenerator<QueryPage> {
  let start: QueryCommandInput['ExclusiveStartKey'];
  do {
    const query = new QueryCommand({ ...input, ...(start !== undefined && { ExclusiveStartKey: start }) });
    const { Items: items = [], LastEvaluatedKey } = await onDependency('DynamoDB', call, () =>
      client.send(query),
    );
    start = LastEvaluatedKey;
    yield { items, more: start !== undefined };
  } while (start !== undefined);
}
