import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { type QueryPage, queryPages } from '../../shared/query-pages.ts';
import {
  blockKey,
  daysBetween,
  hourOf,
  hoursKey,
  operationsKey,
  servicesKey,
  textOfHour,
  textOfMs,
} from './keys.ts';
import { unpack } from './packed.ts';
import { type BlockColumns, SpanBlock } from './span-block.ts';

/** A range of time: `fromMs` is in it, `toMs` is not. Milliseconds since the epoch. */
export interface TimeRange {
  readonly fromMs: number;
  readonly toMs: number;
}

/** A partition that has blocks of one service. */
export interface BlockPartition {
  readonly service: string;
  readonly hour: number;
  readonly shard: number;
}

export interface OperationName {
  readonly operation: string;
  /** Position in `spanKinds`. */
  readonly kind: number;
}

export interface SpanBlocksOptions {
  readonly client: DynamoDBDocumentClient;
  readonly table: string;
  readonly now: () => number;
}

/** One block where it was found. */
export interface FoundBlock {
  readonly block: SpanBlock;
  /** Its sort key; blocks of a partition come with the latest start first, and none that follows starts later. */
  readonly position: string;
  /** Latest and earliest start of its spans, to the millisecond. */
  readonly lastMs: number;
  readonly firstMs: number;
}

/** Searches what is stored: names, and blocks by service and time. The order of a search and its filters are the caller's. */
export class SpanBlocks {
  readonly #options: SpanBlocksOptions;

  constructor(options: SpanBlocksOptions) {
    this.#options = options;
  }

  /** The services that had spans in these days, in order. */
  async services({ fromMs, toMs }: TimeRange): Promise<string[]> {
    const found = await this.#sortKeys(daysBetween(fromMs, toMs).map((day) => ({ pk: servicesKey(day) })));
    return [...new Set(found)].sort();
  }

  /** The operations that a service had in these days, in order of their names. */
  async operations(service: string, { fromMs, toMs }: TimeRange): Promise<OperationName[]> {
    const days = daysBetween(fromMs, toMs).map((day) => ({ pk: operationsKey(day, service) }));
    const names = [...new Set(await this.#sortKeys(days))].map((text) => {
      const split = text.indexOf('#');
      return { kind: Number(text.slice(0, split)), operation: text.slice(split + 1) };
    });
    return names.sort((a, b) =>
      a.operation < b.operation ? -1 : a.operation > b.operation ? 1 : a.kind - b.kind,
    );
  }

  /** The partitions with spans of a service that started within the range, latest hour first. */
  async partitions(service: string, { fromMs, toMs }: TimeRange): Promise<BlockPartition[]> {
    const between: [string, string] = [textOfHour(hourOf(fromMs)), `${textOfHour(hourOf(toMs - 1))}#~`];
    const found = await this.#sortKeys([{ pk: hoursKey(service), between }]);
    return found
      .map((text) => {
        const [hour, shard] = text.split('#').map(Number);
        return { service, hour: hour ?? 0, shard: shard ?? 0 };
      })
      .reverse();
  }

  /**
   * The blocks of a partition that may have spans which started within the range, the one with the latest start first.
   *
   * @param before position after which to go on.
   */
  async *blocks(partition: BlockPartition, range: TimeRange, before?: string): AsyncGenerator<FoundBlock> {
    const { service, hour, shard } = partition;
    const to = before ?? '~';
    const pages = this.#query({
      ...{ pk: blockKey(service, hour, shard), between: [textOfMs(range.fromMs), to] as const },
      newestFirst: true,
    });
    for await (const { items } of pages) {
      for (const { sk, data, firstMs } of items) {
        if (typeof sk !== 'string' || sk === before || !(data instanceof Uint8Array)) continue;
        if (typeof firstMs !== 'number' || firstMs >= range.toMs) continue;
        const columns: BlockColumns = JSON.parse(unpack(data));
        const lastMs = Number(sk.slice(0, 13));
        yield { block: new SpanBlock(service, columns), position: sk, lastMs, firstMs };
      }
    }
  }

  async #sortKeys(
    queries: readonly { pk: string; between?: readonly [string, string] }[],
  ): Promise<string[]> {
    const found = await Promise.all(
      queries.map(async (query) => {
        const keys: string[] = [];
        for await (const { items } of this.#query(query)) {
          for (const { sk } of items) if (typeof sk === 'string') keys.push(sk);
          if (keys.length >= maximumNames) break;
        }
        return keys;
      }),
    );
    return found.flat();
  }

  #query({ pk, between, newestFirst = false }: Query): AsyncIterable<QueryPage> {
    const { client, table, now } = this.#options;
    return queryPages(client, {
      TableName: table,
      KeyConditionExpression: between === undefined ? 'pk = :pk' : 'pk = :pk AND sk BETWEEN :first AND :last',
      ExpressionAttributeValues: {
        ...{ ':pk': pk, ':now': now() / 1_000 },
        ...(between === undefined ? {} : { ':first': between[0], ':last': between[1] }),
      },
      // DynamoDB may take days to remove what has ended.
      FilterExpression: 'expiresAt > :now',
      ScanIndexForward: !newestFirst,
    });
  }
}

interface Query {
  readonly pk: string;
  readonly between?: readonly [string, string];
  readonly newestFirst?: boolean;
}

/** The most names that one list has. */
const maximumNames = 10_000;
