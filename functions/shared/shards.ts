import { type DynamoDBDocumentClient, QueryCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { holds } from './conditional-write.ts';

/** How long a function works with the shards as it last read them. */
export const shardsCacheMs = 30_000;

/** One shard of the platform's database, as the table of shards describes it. */
export const shardSchema = z.object({
  name: z.string(),
  clusterIdentifier: z.string(),
  /** The id that IAM policies for `rds-db:connect` name. */
  resourceId: z.string(),
  /** Name of the database in the cluster. */
  database: z.string(),
  writer: z.object({ host: z.string(), port: z.number().int() }),
  /** Rises with every promotion and restore; a writer of an older epoch is no writer any more. */
  epoch: z.number().int().min(1),
  state: z.enum(['active']),
});
export type Shard = z.output<typeof shardSchema>;

/**
 * Begins a new epoch of a shard: what was known of its database before holds no longer. Doing it again for the same epoch
 * changes nothing.
 */
export async function raiseEpoch(
  client: DynamoDBDocumentClient,
  table: string,
  shard: string,
  from: number,
): Promise<void> {
  await holds(() =>
    client.send(
      new UpdateCommand({
        TableName: table,
        Key: { pk: 'SHARD', sk: shard },
        UpdateExpression: 'SET #epoch = :next',
        ConditionExpression: '#epoch = :from',
        ExpressionAttributeNames: { '#epoch': 'epoch' },
        ExpressionAttributeValues: { ':from': from, ':next': from + 1 },
      }),
    ),
  );
}

/** The shards in the order of their names, read again when what is known is older than `cacheMs`. */
export class ShardReader {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;
  readonly #now: () => number;
  readonly #cacheMs: number;
  #known: { shards: readonly Shard[]; until: number } | undefined;

  constructor(
    client: DynamoDBDocumentClient,
    table: string,
    now: () => number = Date.now,
    cacheMs: number = shardsCacheMs,
  ) {
    this.#client = client;
    this.#table = table;
    this.#now = now;
    this.#cacheMs = cacheMs;
  }

  async list(): Promise<readonly Shard[]> {
    if (this.#known !== undefined && this.#known.until > this.#now()) return this.#known.shards;
    const shards = await this.#read();
    this.#known = { shards, until: this.#now() + this.#cacheMs };
    return shards;
  }

  async #read(): Promise<Shard[]> {
    const shards: Shard[] = [];
    let ExclusiveStartKey: Record<string, unknown> | undefined;
    do {
      const page = await this.#client.send(
        new QueryCommand({
          TableName: this.#table,
          KeyConditionExpression: 'pk = :pk',
          ExpressionAttributeValues: { ':pk': 'SHARD' },
          ...(ExclusiveStartKey === undefined ? {} : { ExclusiveStartKey }),
        }),
      );
      for (const item of page.Items ?? []) shards.push(shardSchema.parse(item));
      ExclusiveStartKey = page.LastEvaluatedKey;
    } while (ExclusiveStartKey !== undefined);
    return shards;
  }
}
