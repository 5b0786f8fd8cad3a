import { type DynamoDBDocumentClient, PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { holds } from '../../shared/conditional-write.ts';
import { onDependency } from '../../shared/dependency.ts';
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
    let ExclusiveStartKey: Record<string, unknown> | undefined;
    do {
      const start = ExclusiveStartKey;
      const page = await onDependency('DynamoDB', 'Query health of shards', () =>
        this.#client.send(
          new QueryCommand({
            TableName: this.#table,
            KeyConditionExpression: 'pk = :pk',
            ExpressionAttributeValues: { ':pk': healthPartition },
            ...(start === undefined ? {} : { ExclusiveStartKey: start }),
          }),
        ),
      );
      for (const item of page.Items ?? []) found.push(itemSchema.parse(item).health);
      ExclusiveStartKey = page.LastEvaluatedKey;
    } while (ExclusiveStartKey !== undefined);
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
