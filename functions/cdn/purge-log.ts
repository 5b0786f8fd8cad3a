import { type DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import { decodeTime, encodeTime } from 'ulid';
import * as z from 'zod';
import { onDependency } from '../shared/dependency.ts';
import { queryPages } from '../shared/query-pages.ts';
import type { PurgeId } from './ids.ts';

/** All purges, whoever’s website they are of. */
const everybody = '*';
const partition = (tenant: string) => `PURGES#${tenant}`;
/** A page has some 10 000 of them. */
const mostPages = 10;
const timeLength = 10;

/** When purges were asked for: their ids begin with the time, so that those of any span lie side by side. */
export class PurgeLog {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  /** Notes a purge; noted again, it is the same. @throws DependencyError */
  async note(id: PurgeId, tenant: string | undefined, expiresAt: number): Promise<void> {
    for (const each of [everybody, ...(tenant === undefined ? [] : [tenant])]) {
      const Item = { pk: partition(each), sk: id, expiresAt };
      await onDependency('DynamoDB', 'PutItem purge', () =>
        this.#client.send(new PutCommand({ TableName: this.#table, Item })),
      );
    }
  }

  /**
   * When purges were asked for, in Unix seconds, from `from` and before `to`.
   *
   * @param tenant those that named the tenant alone; without one, all.
   * @throws DependencyError
   */
  async times(from: number, to: number, tenant: string = everybody): Promise<number[]> {
    const times: number[] = [];
    const query = {
      TableName: this.#table,
      KeyConditionExpression: 'pk = :pk AND sk BETWEEN :from AND :to',
      ExpressionAttributeValues: {
        ':pk': partition(tenant),
        ':from': encodeTime(Math.max(0, Math.floor(from * 1000)), timeLength),
        ':to': encodeTime(Math.max(0, Math.ceil(to * 1000)), timeLength),
      },
    };
    let pages = 0;
    for await (const { items } of queryPages(this.#client, query, 'Query purges')) {
      for (const item of items) times.push(decodeTime(idSchema.parse(item).sk) / 1000);
      pages += 1;
      if (pages === mostPages) break;
    }
    return times;
  }
}

const idSchema = z.object({ sk: z.string() });
