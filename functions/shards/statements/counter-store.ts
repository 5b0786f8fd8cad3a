import { type DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { onDependency } from '../../shared/dependency.ts';
import { type Counters, countersSchema } from './count-slow.ts';

/** Partition of the shards table. */
export const statementsPartition = 'STATEMENTS';

/** What was counted of a shard's statements when they were last looked at, in the table of shards. */
export class CounterStore {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  /** @throws DependencyError */
  async read(shard: string): Promise<Counters | undefined> {
    const { Item } = await onDependency('DynamoDB', 'GetItem counters of statements', () =>
      this.#client.send(
        new GetCommand({ TableName: this.#table, Key: { pk: statementsPartition, sk: shard } }),
      ),
    );
    return Item === undefined ? undefined : countersSchema.parse(Item);
  }

  /** @throws DependencyError */
  async put(shard: string, { started, counters }: Counters): Promise<void> {
    await onDependency('DynamoDB', 'PutItem counters of statements', () =>
      this.#client.send(
        new PutCommand({
          TableName: this.#table,
          Item: { pk: statementsPartition, sk: shard, started, counters },
        }),
      ),
    );
  }
}
