import { type DynamoDBDocumentClient, GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { holds, ifVersion } from '../shared/conditional-write.ts';
import { onDependency } from '../shared/dependency.ts';
import { queryPages } from '../shared/query-pages.ts';
import { shardSchema } from '../shared/shards.ts';
import {
  type Address,
  instancesSchema,
  type ProbeRecord,
  probeRecordSchema,
  type ShardInstances,
} from './model.ts';
import { type FailoverRecord, failoverRecordSchema } from './record.ts';

/** What the move of the shard map left in the shard's entry: the proof that the new writer took a write. */
export const promotionSchema = z.object({
  epoch: z.number().int(),
  instance: z.string(),
  promotedAt: z.iso.datetime().optional(),
  firstWriteAt: z.iso.datetime(),
});
export type Promotion = z.output<typeof promotionSchema>;

const routedShardSchema = shardSchema.extend({ promotion: promotionSchema.optional().catch(undefined) });
/** A shard as the map has it. */
export type RoutedShard = z.output<typeof routedShardSchema>;

/** All that is known of one shard, each part as it was last written. */
export interface ShardKnowledge {
  readonly shard: RoutedShard;
  /** Absent: nothing was written yet. */
  readonly record: FailoverRecord | undefined;
  readonly probe: ProbeRecord | undefined;
  readonly instances: ShardInstances | undefined;
}

/** The items of the shards table that failover reads and writes. Reads see every write before them. */
export class FailoverStore {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  /** @returns nothing where there is no such shard. @throws DependencyError */
  async know(name: string): Promise<ShardKnowledge | undefined> {
    const [shard, record, probe, instances] = await Promise.all([
      this.shard(name),
      this.record(name),
      this.#get('PROBE', name),
      this.#get('INSTANCES', name),
    ]);
    if (shard === undefined) return undefined;
    return {
      shard,
      record,
      // Written by others, and perhaps by a version before this one: what cannot be read was not found.
      probe: probeRecordSchema.safeParse(probe).data,
      instances: instancesSchema.safeParse(instances).data,
    };
  }

  async shard(name: string): Promise<RoutedShard | undefined> {
    const item = await this.#get('SHARD', name);
    return item === undefined ? undefined : routedShardSchema.parse(item);
  }

  async record(name: string): Promise<FailoverRecord | undefined> {
    const item = await this.#get('FAILOVER', name);
    return item === undefined ? undefined : failoverRecordSchema.parse(item);
  }

  /** The records of all shards that anything was written of. */
  async records(): Promise<FailoverRecord[]> {
    const records: FailoverRecord[] = [];
    const pages = queryPages(this.#client, {
      TableName: this.#table,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': 'FAILOVER' },
      ConsistentRead: true,
    });
    for await (const { items } of pages) {
      for (const item of items) records.push(failoverRecordSchema.parse(item));
    }
    return records;
  }

  /**
   * Writes a record in place of the version that it was made from.
   *
   * @returns the record as it is stored; nothing when somebody else has written meanwhile.
   */
  async save(record: FailoverRecord): Promise<FailoverRecord | undefined> {
    const { version } = record;
    const Item = { ...failoverRecordSchema.parse(record), version: version + 1 };
    const written = await onDependency('DynamoDB', 'PutItem', () =>
      holds(() =>
        this.#client.send(
          new PutCommand({
            TableName: this.#table,
            Item: { pk: 'FAILOVER', sk: record.shard, ...Item },
            ...ifVersion(version),
          }),
        ),
      ),
    );
    return written ? Item : undefined;
  }

  /**
   * Moves the shard map: one write that begins the new epoch and names its writer. Doing it again changes nothing.
   *
   * @returns whether the map has this promotion now; otherwise the shard has moved on in another way.
   */
  async move(
    name: string,
    {
      from,
      writer,
      promotion,
    }: { readonly from: number; readonly writer: Address; readonly promotion: Promotion },
  ): Promise<boolean> {
    const moved = await onDependency('DynamoDB', 'UpdateItem', () =>
      holds(() =>
        this.#client.send(
          new UpdateCommand({
            TableName: this.#table,
            Key: { pk: 'SHARD', sk: name },
            UpdateExpression: 'SET #epoch = :to, #writer = :writer, #promotion = :promotion',
            ConditionExpression: '#epoch = :from',
            ExpressionAttributeNames: { '#epoch': 'epoch', '#writer': 'writer', '#promotion': 'promotion' },
            ExpressionAttributeValues: {
              ':from': from,
              ':to': promotion.epoch,
              ':writer': writer,
              ':promotion': promotion,
            },
          }),
        ),
      ),
    );
    if (moved) return true;
    const now = await this.shard(name);
    return now?.promotion?.epoch === promotion.epoch && now.promotion.instance === promotion.instance;
  }

  async #get(pk: string, sk: string): Promise<Record<string, unknown> | undefined> {
    const { Item } = await onDependency('DynamoDB', 'GetItem', () =>
      this.#client.send(new GetCommand({ TableName: this.#table, Key: { pk, sk }, ConsistentRead: true })),
    );
    return Item;
  }
}
