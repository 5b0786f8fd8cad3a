import { type DynamoDBDocumentClient, PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import type * as z from 'zod';
import { holds } from '../../shared/conditional-write.ts';
import { instancesSchema, type ProbeRecord, probeRecordSchema, type ShardInstances } from '../model.ts';

/** Partitions of the shards table. */
export const probePartition = 'PROBE';
export const instancesPartition = 'INSTANCES';

/** How long DynamoDB may take, in milliseconds: a probe does not wait for it. */
const answerMs = 2_000;

/** What probes found, and which instances they ask, in the table of shards. */
export class ProbeStore {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  /** What the latest probe of each shard found. */
  probes(): Promise<ProbeRecord[]> {
    return this.#list(probePartition, probeRecordSchema);
  }

  /** The instances of each shard. */
  instances(): Promise<ShardInstances[]> {
    return this.#list(instancesPartition, instancesSchema);
  }

  /** Keeps what a probe found. @returns false where a later one has been kept already. */
  put(record: ProbeRecord): Promise<boolean> {
    const command = new PutCommand({
      TableName: this.#table,
      Item: { pk: probePartition, sk: record.shard, ...record },
      ConditionExpression: 'attribute_not_exists(pk) OR #at < :at',
      ExpressionAttributeNames: { '#at': 'at' },
      ExpressionAttributeValues: { ':at': record.at },
    });
    return holds(() => this.#client.send(command, { abortSignal: AbortSignal.timeout(answerMs) }));
  }

  async #list<S extends z.ZodType>(partition: string, schema: S): Promise<z.output<S>[]> {
    const found: z.output<S>[] = [];
    const abortSignal = AbortSignal.timeout(answerMs);
    let ExclusiveStartKey: Record<string, unknown> | undefined;
    do {
      const page = await this.#client.send(
        new QueryCommand({
          TableName: this.#table,
          KeyConditionExpression: 'pk = :pk',
          ExpressionAttributeValues: { ':pk': partition },
          ConsistentRead: true,
          ...(ExclusiveStartKey === undefined ? {} : { ExclusiveStartKey }),
        }),
        { abortSignal },
      );
      for (const item of page.Items ?? []) found.push(schema.parse(item));
      ExclusiveStartKey = page.LastEvaluatedKey;
    } while (ExclusiveStartKey !== undefined);
    return found;
  }
}
