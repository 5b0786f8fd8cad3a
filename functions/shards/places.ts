import { type DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import { type DatabaseInstance, instancesSchema } from '../failover/model.ts';
import { onDependency } from '../shared/dependency.ts';
import { type Shard, type ShardReader, shardsCacheMs } from '../shared/shards.ts';

/** Where a shard is: its writer as it is routed to, and its readers as they were last discovered. */
export interface Place {
  readonly shard: string;
  readonly database: string;
  readonly shardEpoch: number;
  readonly writer: { readonly host: string; readonly port: number };
  readonly readers: readonly { instance: string; host: string; port: number; status: string }[];
}

/** Reads where shards are; what it knows is at most `cacheMs` old. */
export class Places {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;
  readonly #shards: Pick<ShardReader, 'list'>;
  readonly #now: () => number;
  readonly #cacheMs: number;
  readonly #instances = new Map<string, { known: readonly DatabaseInstance[]; until: number }>();

  constructor(
    client: DynamoDBDocumentClient,
    table: string,
    shards: Pick<ShardReader, 'list'>,
    now: () => number = Date.now,
    cacheMs: number = shardsCacheMs,
  ) {
    this.#client = client;
    this.#table = table;
    this.#shards = shards;
    this.#now = now;
    this.#cacheMs = cacheMs;
  }

  /** All shards, in the order of their names. */
  async list(): Promise<Place[]> {
    const shards = await this.#shards.list();
    return Promise.all(shards.map((shard) => this.#placeOf(shard)));
  }

  /** Where one shard is; undefined when there is none of that name. */
  async find(name: string): Promise<Place | undefined> {
    const shard = (await this.#shards.list()).find((candidate) => candidate.name === name);
    return shard === undefined ? undefined : this.#placeOf(shard);
  }

  async #placeOf({ name, database, epoch, writer }: Shard): Promise<Place> {
    const instances = await this.#instancesOf(name);
    return {
      shard: name,
      database,
      shardEpoch: epoch,
      writer,
      readers: instances
        .filter(({ role }) => role === 'reader')
        .map(({ id, host, port, status }) => ({ instance: id, host, port, status })),
    };
  }

  async #instancesOf(shard: string): Promise<readonly DatabaseInstance[]> {
    const earlier = this.#instances.get(shard);
    if (earlier !== undefined && earlier.until > this.#now()) return earlier.known;
    const { Item } = await onDependency('DynamoDB', 'GetItem instances of a shard', () =>
      this.#client.send(new GetCommand({ TableName: this.#table, Key: { pk: 'INSTANCES', sk: shard } })),
    );
    const known = Item === undefined ? [] : instancesSchema.parse(Item).instances;
    this.#instances.set(shard, { known, until: this.#now() + this.#cacheMs });
    return known;
  }
}
