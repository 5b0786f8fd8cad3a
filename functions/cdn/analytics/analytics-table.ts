import {
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
} from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { holds } from '../../shared/conditional-write.ts';
import { onDependency } from '../../shared/dependency.ts';
import { type StoredBundle, storedBundleSchema } from './bundle-store.ts';
import { instant } from './intervals.ts';

const logSchema = z.object({ sk: z.string(), expiresAt: z.number(), ...storedBundleSchema.shape });
const totalSchema = z.object({
  generation: z.int().min(1),
  expiresAt: z.number(),
  /** An object of the generation before, which somebody may be reading. */
  oldKey: z.string().optional(),
  ...storedBundleSchema.shape,
});
export type Total = z.output<typeof totalSchema>;
const workSchema = z.object({ sk: z.string(), mark: z.string() });
const resetsSchema = z.object({ at: z.array(z.int()), version: z.int() });

/** What a unit of counting is kept as: an interval, or a whole day. */
export type Unit = { readonly kind: 'interval' | 'day'; readonly start: number };
const unitKey = ({ kind, start }: Unit) => `${kind === 'day' ? 'DAY' : 'TRAFFIC'}#${instant(start)}`;

/** A log that waits to be folded into the total of its interval. */
export interface PendingLog {
  readonly id: string;
  readonly bundle: StoredBundle;
}

const logPrefix = 'LOG#';
const mostPages = 50;

/** The items of analytics in the table of the CDN. */
export class AnalyticsTable {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  /** Adds what a log holds of an interval. Returns whether it was not there already. */
  async addLog(start: number, id: string, bundle: StoredBundle, expiresAt: number): Promise<boolean> {
    const Item = { pk: unitKey({ kind: 'interval', start }), sk: `${logPrefix}${id}`, ...bundle, expiresAt };
    return this.#put(Item, 'attribute_not_exists(pk)');
  }

  /** Some of the logs that wait in an interval, at most so many; and whether there are more. */
  async pending(start: number, most: number): Promise<{ logs: PendingLog[]; more: boolean }> {
    const logs: PendingLog[] = [];
    let from: Record<string, unknown> | undefined;
    for (let page = 0; page < mostPages && logs.length < most; page += 1) {
      const { Items = [], LastEvaluatedKey } = await this.#query(
        unitKey({ kind: 'interval', start }),
        logPrefix,
        {
          Limit: most - logs.length,
          ...(from && { ExclusiveStartKey: from }),
        },
      );
      for (const item of Items) {
        const { sk, expiresAt: _, ...bundle } = logSchema.parse(item);
        logs.push({ id: sk.slice(logPrefix.length), bundle });
      }
      from = LastEvaluatedKey;
      if (from === undefined) return { logs, more: false };
    }
    return { logs, more: true };
  }

  /** Removes a log that is in the total of its interval. */
  async removeLog(start: number, id: string): Promise<void> {
    await this.#delete({ pk: unitKey({ kind: 'interval', start }), sk: `${logPrefix}${id}` });
  }

  async total(unit: Unit): Promise<Total | undefined> {
    const item = await this.#get({ pk: unitKey(unit), sk: 'TOTAL' });
    return item === undefined ? undefined : totalSchema.parse(item);
  }

  /** Puts a total in the place of the one before it. Returns false when somebody else has done so. */
  async putTotal(unit: Unit, total: Total): Promise<boolean> {
    const Item = { pk: unitKey(unit), sk: 'TOTAL', ...total };
    return total.generation === 1
      ? this.#put(Item, 'attribute_not_exists(pk)')
      : this.#put(Item, 'generation = :before', { ':before': total.generation - 1 });
  }

  /** Notes that something is to be folded. Said again, it is done again. */
  async mark({ kind, start }: Unit, mark: string, expiresAt: number): Promise<void> {
    await this.#put({ pk: `WORK#${kind}`, sk: instant(start), mark, expiresAt });
  }

  /** What is to be folded, earliest first, at most 1 000. */
  async marked(kind: Unit['kind']): Promise<{ start: number; mark: string }[]> {
    const { Items = [] } = await this.#query(`WORK#${kind}`, undefined, { Limit: 1_000 });
    return Items.map((item) => workSchema.parse(item)).map(({ sk, mark }) => ({
      start: Date.parse(sk) / 1000,
      mark,
    }));
  }

  /** Takes a mark away, unless it was made anew since. */
  async unmark({ kind, start }: Unit, mark: string): Promise<void> {
    await this.#delete(
      { pk: `WORK#${kind}`, sk: instant(start) },
      { condition: 'mark = :mark', values: { ':mark': mark } },
    );
  }

  /** When counting was started anew, in Unix seconds, rising. */
  async resets(): Promise<{ at: number[]; version: number }> {
    const item = await this.#get({ pk: 'RESETS', sk: 'RESETS' });
    return item === undefined ? { at: [], version: 0 } : resetsSchema.parse(item);
  }

  /** Returns false when somebody else has changed them. */
  async putResets(at: readonly number[], version: number): Promise<boolean> {
    const Item = { pk: 'RESETS', sk: 'RESETS', at, version };
    return version === 1
      ? this.#put(Item, 'attribute_not_exists(pk)')
      : this.#put(Item, 'version = :before', { ':before': version - 1 });
  }

  async #get(Key: { pk: string; sk: string }): Promise<Record<string, unknown> | undefined> {
    const { Item } = await onDependency('DynamoDB', `GetItem ${Key.pk}`, () =>
      this.#client.send(new GetCommand({ TableName: this.#table, Key, ConsistentRead: true })),
    );
    return Item;
  }

  async #query(
    pk: string,
    prefix: string | undefined,
    options: { Limit: number; ExclusiveStartKey?: Record<string, unknown> },
  ) {
    const starts = prefix === undefined ? '' : ' AND begins_with(sk, :sk)';
    return onDependency('DynamoDB', `Query ${pk}`, () =>
      this.#client.send(
        new QueryCommand({
          TableName: this.#table,
          KeyConditionExpression: `pk = :pk${starts}`,
          ExpressionAttributeValues: { ':pk': pk, ...(prefix !== undefined && { ':sk': prefix }) },
          ConsistentRead: true,
          ...options,
        }),
      ),
    );
  }

  async #put(
    Item: Record<string, unknown>,
    condition?: string,
    values?: Record<string, unknown>,
  ): Promise<boolean> {
    return onDependency('DynamoDB', `PutItem ${String(Item.pk)}`, () =>
      holds(() =>
        this.#client.send(
          new PutCommand({
            TableName: this.#table,
            Item,
            ...(condition !== undefined && { ConditionExpression: condition }),
            ...(values !== undefined && { ExpressionAttributeValues: values }),
          }),
        ),
      ),
    );
  }

  async #delete(
    Key: { pk: string; sk: string },
    condition?: { condition: string; values: Record<string, unknown> },
  ): Promise<void> {
    await onDependency('DynamoDB', `DeleteItem ${Key.pk}`, () =>
      holds(() =>
        this.#client.send(
          new DeleteCommand({
            TableName: this.#table,
            Key,
            ...(condition && {
              ConditionExpression: condition.condition,
              ExpressionAttributeValues: condition.values,
            }),
          }),
        ),
      ),
    );
  }
}
