import { type DynamoDBDocumentClient, QueryCommand, type QueryCommandInput } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { type AuditQuery, filterOf } from './audit-query.ts';
import type { ChainItem } from './chain.ts';
import { dayAfter, dayOf } from './days.ts';
import { auditEntrySchema, type ChainedEntry } from './model.ts';
import { chainPartition, timePartition } from './table-keys.ts';

/** Bounds of one request's reading. */
const maximumReads = 30;
const itemsOfARead = 500;

export interface AuditPage {
  readonly entries: readonly ChainedEntry[];
  /** Where the next page begins; absent when there is nothing more. */
  readonly next?: string;
}

type Page = Readonly<{
  items: readonly Record<string, unknown>[];
  lastKey: Record<string, unknown> | undefined;
}>;
const positionSchema = z.object({ gsi1sk: z.string() });

/** Reads the audit trail: chain by chain, or all entries by their time. What has expired is not there. */
export class AuditReader {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;
  readonly #now: () => number;

  constructor(client: DynamoDBDocumentClient, table: string, now: () => number) {
    this.#client = client;
    this.#table = table;
    this.#now = now;
  }

  /** The items of a chain in the order of their keys, from after `after` on. */
  async *chain(day: string, lane: number, after?: string): AsyncGenerator<ChainItem> {
    let start: Record<string, unknown> | undefined;
    do {
      const { items, lastKey } = await this.#read({
        KeyConditionExpression: after === undefined ? 'pk = :pk' : 'pk = :pk AND sk > :after',
        ExpressionAttributeValues: {
          ':pk': chainPartition(day, lane),
          ...(after === undefined ? {} : { ':after': after }),
        },
        ConsistentRead: true,
        ExclusiveStartKey: start,
      });
      for (const { pk, sk, gsi1pk, gsi1sk, expiresAt, ...entry } of items) yield { key: String(sk), entry };
      start = lastKey;
    } while (start !== undefined);
  }

  /**
   * Entries by their time, newest first. It reads so much and not more: a page may hold fewer than `limit`, or none, and
   * still have a next one. An item that is no entry is left out; the verification names it.
   */
  async list(query: AuditQuery): Promise<AuditPage> {
    const lower = `${new Date(query.from).toISOString()}#`;
    const filter = filterOf(query);
    const entries: ChainedEntry[] = [];
    // Everything below it is still to be read: a position in the index, or a day.
    const end = `${new Date(query.to).toISOString()}#`;
    let upper = query.before !== undefined && query.before < end ? query.before : end;
    for (let day = dayOf(Date.parse(upper.slice(0, 10))), reads = 0; upper > lower; reads++) {
      if (reads === maximumReads) return { entries, next: upper };
      const { items, lastKey } = await this.#read({
        ...filter,
        IndexName: 'gsi1',
        KeyConditionExpression: 'gsi1pk = :day AND gsi1sk BETWEEN :lower AND :upper',
        ExpressionAttributeValues: {
          ...filter.ExpressionAttributeValues,
          ':day': timePartition(day),
          ':lower': lower,
          ':upper': upper,
        },
        ScanIndexForward: false,
        Limit: itemsOfARead,
      });
      for (const { pk, sk, gsi1pk, gsi1sk, expiresAt, ...item } of items) {
        const { success, data } = auditEntrySchema.safeParse(item);
        if (!success || gsi1sk === upper) continue;
        if (entries.length === query.limit) return { entries, next: positionOf(entries) };
        entries.push(data);
      }
      if (lastKey === undefined) {
        upper = day;
        day = dayAfter(day, -1);
      } else {
        upper = positionSchema.parse(lastKey).gsi1sk;
      }
    }
    return { entries };
  }

  async #read(input: Omit<QueryCommandInput, 'TableName'>): Promise<Page> {
    const {
      FilterExpression: also,
      ExpressionAttributeNames: names,
      ExpressionAttributeValues: values,
    } = input;
    const kept = '#expiresAt > :seconds';
    const { Items = [], LastEvaluatedKey } = await this.#client.send(
      new QueryCommand({
        ...input,
        TableName: this.#table,
        FilterExpression: also === undefined ? kept : `${kept} AND ${also}`,
        ExpressionAttributeNames: { ...names, '#expiresAt': 'expiresAt' },
        ExpressionAttributeValues: { ...values, ':seconds': Math.floor(this.#now() / 1_000) },
      }),
    );
    return { items: Items, lastKey: LastEvaluatedKey };
  }
}

const positionOf = (entries: readonly ChainedEntry[]): string => {
  const last = entries.at(-1);
  if (last === undefined) throw new RangeError('A page without entries has no position');
  return `${last.at}#${last.id}`;
};
