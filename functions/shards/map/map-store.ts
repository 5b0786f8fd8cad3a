import { type DynamoDBDocumentClient, GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { holds } from '../../shared/conditional-write.ts';
import { onDependency } from '../../shared/dependency.ts';
import { setMembers } from '../../shared/set-members.ts';
import { type ShardMap, shardMapSchema } from './shard-map.ts';

/** How long a function works with the map as it last read it, in milliseconds. */
export const mapCacheMs = 10_000;

const partition = 'MAP';
const current = 'CURRENT';
const versionKey = (epoch: number) => `EPOCH#${String(epoch).padStart(10, '0')}`;

/** The shard map in the table of shards: the one that holds, and every one before it. */
export class MapStore {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;
  readonly #now: () => number;
  #known: { map: ShardMap; until: number } | undefined;

  constructor(client: DynamoDBDocumentClient, table: string, now: () => number = Date.now) {
    this.#client = client;
    this.#table = table;
    this.#now = now;
  }

  /** The map that holds, at most `mapCacheMs` old; undefined before the bootstrap has written the first. */
  async read(): Promise<ShardMap | undefined> {
    if (this.#known !== undefined && this.#known.until > this.#now()) return this.#known.map;
    const item = await this.#get(current);
    if (item === undefined) return undefined;
    const map = shardMapSchema.parse(item);
    this.#known = { map, until: this.#now() + mapCacheMs };
    return map;
  }

  /**
   * Writes the first map, unless there is one: slots never move because a deployment lists its shards anew. Of several that are
   * written at once one holds, the one that is in the history.
   *
   * @returns whether there was none.
   */
  async create(map: Omit<ShardMap, 'epoch'>): Promise<boolean> {
    const first = shardMapSchema.parse({ ...map, epoch: 1 });
    const absent = 'attribute_not_exists(pk)';
    // The version first: a map that holds is always in the history.
    const isFirst = await this.#put(versionKey(first.epoch), first, absent);
    const holding = isFirst ? first : shardMapSchema.parse(await this.#get(versionKey(first.epoch)));
    return this.#put(current, holding, absent);
  }

  /** The map that holds, as it is now. */
  async readNow(): Promise<ShardMap | undefined> {
    this.#known = undefined;
    return this.read();
  }

  /**
   * Has another map hold, the one after `next.epoch - 1`. Of several that are written at once one holds, the one that is in the
   * history; who comes later finishes what somebody has begun who died.
   *
   * @returns whether it is this one, or one with the same ranges.
   */
  async change(next: ShardMap): Promise<boolean> {
    const map = shardMapSchema.parse(next);
    const isFirst = await this.#put(versionKey(map.epoch), map, 'attribute_not_exists(pk)');
    const holding = isFirst ? map : shardMapSchema.parse(await this.#get(versionKey(map.epoch)));
    await this.#put(current, holding, '#epoch = :before', { ':before': map.epoch - 1 });
    this.#known = undefined;
    return isFirst || JSON.stringify(holding.ranges) === JSON.stringify(map.ranges);
  }

  async #get(sk: string): Promise<Record<string, unknown> | undefined> {
    const { Item } = await onDependency('DynamoDB', 'GetItem shard map', () =>
      this.#client.send(
        new GetCommand({ TableName: this.#table, Key: { pk: partition, sk }, ConsistentRead: true }),
      ),
    );
    return Item;
  }

  #put(
    sk: string,
    map: ShardMap,
    condition: string,
    values: Readonly<Record<string, unknown>> = {},
  ): Promise<boolean> {
    const members = setMembers(map);
    return holds(() =>
      this.#client.send(
        new UpdateCommand({
          TableName: this.#table,
          Key: { pk: partition, sk },
          ...members,
          ExpressionAttributeValues: { ...members.ExpressionAttributeValues, ...values },
          ConditionExpression: condition,
        }),
      ),
    );
  }
}
