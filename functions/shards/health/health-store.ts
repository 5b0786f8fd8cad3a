import { type DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { holds } from '../../shared/conditional-write.ts';
import { onDependency } from '../../shared/dependency.ts';
import { queryPages } from '../../shared/query-pages.ts';
import { type ShardHealth, shardHealthSchema } from './model.ts';

/** Partition of the shards table. */
export const healthPartition = 'HEALTH';

const itemSchema = z.object({ health: shardHealthSchema });

/** How shards stood when they were last looked at on schedule, in the table of shards. */
export class HealthStore {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  /** The record of each shard, in the order of their names. @throws DependencyError */
  async list(): Promise<ShardHealth[]> {
    const found: ShardHealth[] = [];
    const query = {
      TableName: this.#table,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': healthPartition },
    };
    for await (const { items } of queryPages(this.#client, query, 'Query health of shards')) {
      for (const item of items) found.push(itemSchema.parse(item).health);
    }
    return found;
  }

  /** Keeps how a shard stands. @returns false where a later look has been kept already. @throws DependencyError */
  put(health: ShardHealth): Promise<boolean> {
    return onDependency('DynamoDB', 'PutItem health of a shard', () =>
      holds(() =>
        this.#client.send(
          new PutCommand({
            TableName: this.#table,
            Item: { pk: healthPartition, sk: health.shard, at: health.at, health },
            ConditionExpression: 'attribute_not_exists(pk) OR #at < :at',
            ExpressionAttributeNames: { '#at': 'at' },
            ExpressionAttributeValues: { ':at': health.at },
          }),
        ),
      ),
    );
  }
}
