import { zstdCompressSync } from 'node:zlib';
import { BatchWriteCommand, type DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import { holds } from '../../shared/conditional-write.ts';
import { onDependency } from '../../shared/dependency.ts';
import { queryPages } from '../../shared/query-pages.ts';
import { expiryOf, hourMs, maximumData } from '../store/keys.ts';
import { unpack } from '../store/packed.ts';
import { Aggregate } from './aggregate.ts';
import { aggregateOfText, textOfAggregate } from './codec.ts';
import { compactPrefix, hashDigits, requestPrefix, statsKey } from './stats-items.ts';

/** The most items of one hour and shard that are read. */
export const maximumItems = 5_000;
/** Fewer than this are left as they are. */
const worthCompacting = 8;
const itemsOfCall = 25;

/** One item, as far as it is read. */
interface StoredStats {
  readonly sk: string;
  readonly data: Uint8Array;
  readonly covers: readonly string[];
}

export interface StatsStoreOptions {
  readonly client: DynamoDBDocumentClient;
  readonly table: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Statistics of spans, in the tracing table. */
export class StatsStore {
  readonly #options: StatsStoreOptions;

  constructor(options: StatsStoreOptions) {
    this.#options = options;
  }

  /** What counts of one hour and shard, each request once; `complete` unless there is more than is read. */
  async read(hour: number, shard: number): Promise<{ aggregates: Aggregate[]; complete: boolean }> {
    const { items, complete } = await this.#items(hour, shard);
    const covered = coveredBy(items);
    const counted = items.filter(({ sk }) => !covered.has(nameOf(sk)));
    return { aggregates: counted.map(({ data }) => aggregateOfText(unpack(data))), complete };
  }

  /**
   * Puts one item in the place of many requests’. It can be stopped and repeated anywhere: what is covered counts no more from
   * the moment on that the new item is there, and is removed then or by the next run. Of two runs at the same time one
   * puts nothing: the items are numbered, are put where the number is free, and stay.
   *
   * @returns how many items were replaced.
   */
  async compact(hour: number, shard: number, retentionDays: number): Promise<number> {
    const { items } = await this.#items(hour, shard);
    const covered = coveredBy(items);
    const requests = items.filter(({ sk }) => sk.startsWith(requestPrefix));
    const [done, open] = [true, false].map((is) =>
      requests.filter(({ sk }) => covered.has(nameOf(sk)) === is),
    );
    await this.#remove(hour, shard, done ?? []);
    const { taken, data } = merged(open ?? []);
    if (taken.length < worthCompacting) return 0;
    const number = items.length - requests.length;
    const { client, table } = this.#options;
    const item = {
      ...{ pk: statsKey(hour, shard), sk: `${compactPrefix}${String(number).padStart(6, '0')}`, data },
      covers: Buffer.from(taken.map(({ sk }) => nameOf(sk)).join(''), 'hex'),
      expiresAt: expiryOf((hour + 1) * hourMs, retentionDays),
    };
    const put = await holds(() =>
      client.send(
        new PutCommand({ TableName: table, Item: item, ConditionExpression: 'attribute_not_exists(pk)' }),
      ),
    );
    if (!put) return 0;
    await this.#remove(hour, shard, taken);
    return taken.length;
  }

  async #remove(hour: number, shard: number, items: readonly StoredStats[]): Promise<void> {
    const { client, table } = this.#options;
    for (let from = 0; from < items.length; from += itemsOfCall) {
      const requests = items.slice(from, from + itemsOfCall).map(({ sk }) => ({
        DeleteRequest: { Key: { pk: statsKey(hour, shard), sk } },
      }));
      // What is left is removed by the next run.
      await onDependency('DynamoDB', 'BatchWriteItem', () =>
        client.send(new BatchWriteCommand({ RequestItems: { [table]: requests } })),
      );
    }
  }

  async #items(hour: number, shard: number): Promise<{ items: StoredStats[]; complete: boolean }> {
    const { client, table, now } = this.#options;
    const items: StoredStats[] = [];
    const pages = queryPages(client, {
      TableName: table,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': statsKey(hour, shard), ':now': now() / 1_000 },
      // DynamoDB may take days to remove what has ended.
      FilterExpression: 'expiresAt > :now',
      ConsistentRead: true,
    });
    for await (const page of pages) {
      for (const { sk, data, covers } of page.items) {
        if (typeof sk !== 'string' || !(data instanceof Uint8Array)) continue;
        items.push({ sk, data, covers: covers instanceof Uint8Array ? namesOf(covers) : [] });
      }
      if (items.length >= maximumItems) return { items, complete: !page.more };
    }
    return { items, complete: true };
  }
}

/** As many as fit one item. */
function merged(items: readonly StoredStats[]): { taken: readonly StoredStats[]; data: Uint8Array } {
  for (let taken = items; ; taken = taken.slice(0, taken.length >> 1)) {
    const whole = new Aggregate();
    for (const { data } of taken) whole.merge(aggregateOfText(unpack(data)));
    const data = zstdCompressSync(textOfAggregate(whole));
    if (data.length + (taken.length * hashDigits) / 2 <= maximumData || taken.length === 0)
      return { taken, data };
  }
}

const nameOf = (sk: string) => sk.slice(sk.indexOf('#') + 1);

const namesOf = (covers: Uint8Array): string[] => Buffer.from(covers).toString('hex').match(/.{16}/g) ?? [];

const coveredBy = (items: readonly StoredStats[]) => new Set(items.flatMap(({ covers }) => covers));
