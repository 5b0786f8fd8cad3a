import {
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
} from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { holds, ifVersion } from '../../shared/conditional-write.ts';
import { onDependency } from '../../shared/dependency.ts';
import { queryPages } from '../../shared/query-pages.ts';
import { decodeTally, encodeTally } from './encode.ts';
import { Tally } from './tally.ts';

/** What has been added up of an hour, or of all hours up to one. */
export interface Total {
  readonly tally: Tally;
  /** Rises with each write; 0 before the first. */
  readonly version: number;
  /** The batches that the last write took, whose own items may still be there. */
  readonly taken: readonly string[];
}

export interface Batch {
  readonly id: string;
  readonly tally: Tally;
}

const bytes = z.instanceof(Uint8Array);
const totalSchema = z.object({
  tally: bytes,
  version: z.int(),
  taken: z.array(z.string()).default([]),
  upTo: z.string().optional(),
});
const batchSchema = z.object({ sk: z.string(), tally: bytes });

/** How long an hour's total is kept, in days: what is asked for by time reaches back so far. */
export const totalDays = 14;
/** Longer than anybody sends a batch again. */
const batchDays = 2;

/**
 * The tallies in the monitoring table. What was seen of invocations comes in batches, which may come twice; each is taken into the total of
 * its hour once, and totals of old hours into one base, from which counters that only grow are read.
 *
 * | What | `pk` | `sk` |
 * |---|---|---|
 * | A batch that waits | `OPEN#<hour>` | its id |
 * | That a batch has been taken | `TAKEN#<hour>` | its id |
 * | The total of an hour | `TOTAL` | the hour |
 * | All hours up to `upTo` | `BASE` | `BASE` |
 */
export class TallyStore {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  /** Keeps a batch until it is taken; the same one again replaces itself. */
  async addBatch(hour: string, { id, tally }: Batch, now: number): Promise<void> {
    const Item = { pk: `OPEN#${hour}`, sk: id, tally: encodeTally(tally), expiresAt: inDays(now, batchDays) };
    await onDependency('DynamoDB', 'PutItem', () =>
      this.#client.send(new PutCommand({ TableName: this.#table, Item })),
    );
  }

  /** Batches of an hour that wait. */
  async waiting(hour: string, most: number): Promise<Batch[]> {
    const { Items = [] } = await onDependency('DynamoDB', 'Query', () =>
      this.#client.send(
        new QueryCommand({
          TableName: this.#table,
          KeyConditionExpression: 'pk = :pk',
          ExpressionAttributeValues: { ':pk': `OPEN#${hour}` },
          Limit: most,
          ConsistentRead: true,
        }),
      ),
    );
    return z
      .array(batchSchema)
      .parse(Items)
      .map(({ sk, tally }) => ({ id: sk, tally: decodeTally(tally) }));
  }

  /** Whether a batch has been taken before. */
  async wasTaken(hour: string, id: string): Promise<boolean> {
    return (await this.#get(`TAKEN#${hour}`, id)) !== undefined;
  }

  /** Notes that a batch has been taken, then removes it. */
  async settle(hour: string, id: string, now: number): Promise<void> {
    const Item = { pk: `TAKEN#${hour}`, sk: id, expiresAt: inDays(now, batchDays) };
    await onDependency('DynamoDB', 'PutItem', () =>
      this.#client.send(new PutCommand({ TableName: this.#table, Item })),
    );
    await onDependency('DynamoDB', 'DeleteItem', () =>
      this.#client.send(new DeleteCommand({ TableName: this.#table, Key: { pk: `OPEN#${hour}`, sk: id } })),
    );
  }

  /** The total of an hour; an empty one where there is none. */
  async total(hour: string): Promise<Total> {
    return (await this.#total('TOTAL', hour)) ?? { tally: new Tally(), version: 0, taken: [] };
  }

  /** Totals from one hour to another, both included, by hour. */
  async totals(first: string, last: string): Promise<Map<string, Tally>> {
    const found = new Map<string, Tally>();
    const pages = queryPages(this.#client, {
      TableName: this.#table,
      KeyConditionExpression: 'pk = :pk AND sk BETWEEN :first AND :last',
      ExpressionAttributeValues: { ':pk': 'TOTAL', ':first': first, ':last': last },
    });
    for await (const { items } of pages) {
      for (const item of items) {
        const { sk } = z.object({ sk: z.string() }).parse(item);
        found.set(sk, totalOf(totalSchema.parse(item)).tally);
      }
    }
    return found;
  }

  /** Writes the total of an hour over the version that was read; `false` when somebody else has written meanwhile. */
  putTotal(hour: string, { tally, version, taken }: Total, now: number): Promise<boolean> {
    return this.#put(
      { pk: 'TOTAL', sk: hour, tally: encodeTally(tally), taken, expiresAt: inDays(now, totalDays) },
      version,
    );
  }

  /** What has been added up of all hours up to `upTo`; undefined before the first. */
  async base(): Promise<(Total & { readonly upTo: string }) | undefined> {
    const found = await this.#total('BASE', 'BASE');
    return found?.upTo === undefined ? undefined : { ...found, upTo: found.upTo };
  }

  /** Writes the base over the version that was read; `false` when somebody else has written meanwhile. */
  putBase({ tally, version, upTo }: { tally: Tally; version: number; upTo: string }): Promise<boolean> {
    return this.#put({ pk: 'BASE', sk: 'BASE', tally: encodeTally(tally), upTo }, version);
  }

  #put(item: Record<string, unknown>, version: number): Promise<boolean> {
    return onDependency('DynamoDB', 'PutItem', () =>
      holds(() =>
        this.#client.send(
          new PutCommand({
            TableName: this.#table,
            Item: { ...item, version: version + 1 },
            ...ifVersion(version),
          }),
        ),
      ),
    );
  }

  async #get(pk: string, sk: string): Promise<Record<string, unknown> | undefined> {
    const { Item } = await onDependency('DynamoDB', 'GetItem', () =>
      this.#client.send(new GetCommand({ TableName: this.#table, Key: { pk, sk }, ConsistentRead: true })),
    );
    return Item;
  }

  async #total(pk: string, sk: string): Promise<(Total & { readonly upTo?: string }) | undefined> {
    const found = await this.#get(pk, sk);
    return found === undefined ? undefined : totalOf(totalSchema.parse(found));
  }
}

const totalOf = ({ tally, upTo, ...rest }: z.output<typeof totalSchema>) => ({
  ...rest,
  tally: decodeTally(tally),
  ...(upTo !== undefined && { upTo }),
});

const inDays = (now: number, days: number): number => Math.ceil(now / 1000) + days * 86_400;
