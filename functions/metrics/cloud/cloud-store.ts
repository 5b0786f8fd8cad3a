import { type DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { holds, ifVersion } from '../../shared/conditional-write.ts';
import { onDependency } from '../../shared/dependency.ts';
import { packJson, unpackJson } from '../packed.ts';
import { askedKey } from './asked-key.ts';
import { type CloudSeries, cloudFamilyNames } from './families.ts';

/** What was read of CloudWatch, and up to when. */
export interface CloudReading {
  /** The end of what was read, in ms since 1970. */
  readonly upTo: number;
  /** Rises with each write; 0 before the first. */
  readonly version: number;
  readonly series: readonly CloudSeries[];
}

const itemSchema = z.object({ upTo: z.number(), version: z.int(), series: z.instanceof(Uint8Array) });
const seriesSchema = z.array(
  z.object({
    family: z.string(),
    labels: z.record(z.string(), z.string()),
    value: z.number(),
    at: z.number(),
  }),
);
const known: ReadonlySet<string> = new Set(cloudFamilyNames);
const isKnown = (series: { readonly family: string }): series is CloudSeries => known.has(series.family);

const askedDays = 1;

/**
 * The latest reading of CloudWatch, in the monitoring table, and when somebody last wanted to know it: while nobody does, nothing is read.
 *
 * | What | `pk` | `sk` |
 * |---|---|---|
 * | The latest reading | `CLOUD` | `CLOUD` |
 * | When it was last asked for | `ASKED` | `CLOUD` |
 */
export class CloudStore {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  /** The latest reading; an empty one before the first. Series of families that are no more are left out. */
  async read(): Promise<CloudReading> {
    const item = await this.#get('CLOUD');
    if (item === undefined) return { upTo: 0, version: 0, series: [] };
    const { upTo, version, series } = itemSchema.parse(item);
    return { upTo, version, series: unpackJson(series, seriesSchema).filter(isKnown) };
  }

  /** Writes a reading over the version that it goes on from; `false` when somebody else has written meanwhile. */
  async put({ upTo, version, series }: CloudReading): Promise<boolean> {
    const packed = packJson(series);
    return onDependency('DynamoDB', 'PutItem', () =>
      holds(() =>
        this.#client.send(
          new PutCommand({
            TableName: this.#table,
            Item: { pk: 'CLOUD', sk: 'CLOUD', upTo, version: version + 1, series: packed },
            ...ifVersion(version),
          }),
        ),
      ),
    );
  }

  /** Notes that somebody wants to know. */
  async ask(now: number): Promise<void> {
    const Item = {
      ...{ pk: askedKey, sk: 'CLOUD', at: now },
      expiresAt: Math.ceil(now / 1000) + askedDays * 86_400,
    };
    await onDependency('DynamoDB', 'PutItem', () =>
      this.#client.send(new PutCommand({ TableName: this.#table, Item })),
    );
  }

  /** When somebody last wanted to know, in ms since 1970; 0 for never. */
  async askedAt(): Promise<number> {
    const item = await this.#get(askedKey);
    return item === undefined ? 0 : z.object({ at: z.number() }).parse(item).at;
  }

  async #get(pk: string): Promise<Record<string, unknown> | undefined> {
    const { Item } = await onDependency('DynamoDB', 'GetItem', () =>
      this.#client.send(
        new GetCommand({ TableName: this.#table, Key: { pk, sk: 'CLOUD' }, ConsistentRead: true }),
      ),
    );
    return Item;
  }
}
