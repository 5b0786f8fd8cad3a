import {
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { holds } from '../../shared/conditional-write.ts';
import { onDependency } from '../../shared/dependency.ts';
import { queryPages } from '../../shared/query-pages.ts';

export type Item = Record<string, unknown>;
export interface Key {
  readonly pk: string;
  readonly sk: string;
}

/** A condition on the item as it stands, in DynamoDB's expression language. */
export interface Condition {
  readonly expression: string;
  /** By placeholder (`:state`). Attribute names are written as `#name`, and found by that. */
  readonly values?: Readonly<Record<string, unknown>>;
}

export interface ItemQuery {
  readonly pk: string;
  /** Only sort keys that begin so. */
  readonly prefix?: string;
  /** Attributes to read; default all. */
  readonly attributes?: readonly string[];
}

/** Holds for any item, and for none. */
const always: Condition = { expression: 'attribute_exists(pk) OR attribute_not_exists(pk)' };

/**
 * Single-item reads and writes on the recovery table. All writes that may collide are conditional, and
 * answer whether the condition held. Items past their `expiresAt` are treated as gone, since
 * DynamoDB removes them up to two days late.
 */
export class RecoveryTable {
  readonly #client: DynamoDBDocumentClient;
  readonly #name: string;
  readonly #now: () => number;

  constructor(client: DynamoDBDocumentClient, name: string, now: () => number = Date.now) {
    this.#client = client;
    this.#name = name;
    this.#now = now;
  }

  async get(key: Key): Promise<Item | undefined> {
    const { Item } = await onDependency('DynamoDB', 'GetItem', () =>
      this.#client.send(new GetCommand({ TableName: this.#name, Key: key, ConsistentRead: true })),
    );
    return Item === undefined || this.#isExpired(Item) ? undefined : Item;
  }

  /** Writes the whole item; `false` when `condition` does not hold. */
  async put(item: Item & Key, condition?: Condition): Promise<boolean> {
    return this.#attempt('PutItem', () =>
      this.#client.send(
        new PutCommand({ TableName: this.#name, Item: item, ...(condition && expressions(condition, {})) }),
      ),
    );
  }

  /** Sets the given attributes (`undefined` ones are left alone); `false` when `condition` does not hold. */
  async set(key: Key, attributes: Item, condition: Condition = always): Promise<boolean> {
    const given = Object.entries(attributes).filter(([, value]) => value !== undefined);
    const assignments = given.map(([name]) => `#${placeholder(name)} = :set_${placeholder(name)}`);
    const values = Object.fromEntries(given.map(([name, value]) => [`:set_${placeholder(name)}`, value]));
    const names = Object.fromEntries(given.map(([name]) => [`#${placeholder(name)}`, name]));
    return this.#attempt('UpdateItem', () =>
      this.#client.send(
        new UpdateCommand({
          TableName: this.#name,
          Key: key,
          UpdateExpression: `SET ${assignments.join(', ')}`,
          ...expressions(condition, values, names),
        }),
      ),
    );
  }

  /** Adds a text to a set of texts, which is made when it is not there; `false` when `condition` does not hold. */
  async addToSet(key: Key, attribute: string, member: string, condition: Condition): Promise<boolean> {
    return this.#changeSet('ADD', key, attribute, member, condition);
  }

  /** Takes a text out of a set of texts, which goes with its last member; `false` when `condition` does not hold. */
  async removeFromSet(key: Key, attribute: string, member: string, condition: Condition): Promise<boolean> {
    return this.#changeSet('DELETE', key, attribute, member, condition);
  }

  async delete(key: Key, condition?: Condition): Promise<boolean> {
    return this.#attempt('DeleteItem', () =>
      this.#client.send(
        new DeleteCommand({ TableName: this.#name, Key: key, ...(condition && expressions(condition, {})) }),
      ),
    );
  }

  /** Every item of a partition in the order of its sort key, page by page. */
  async *query({ pk, prefix, attributes }: ItemQuery): AsyncGenerator<Item> {
    const names = attributes === undefined ? undefined : [...new Set([...attributes, 'expiresAt'])];
    const projection = names && {
      ProjectionExpression: names.map((name) => `#${name}`).join(', '),
      ExpressionAttributeNames: Object.fromEntries(names.map((name) => [`#${name}`, name])),
    };
    const pages = queryPages(this.#client, {
      TableName: this.#name,
      ConsistentRead: true,
      KeyConditionExpression: prefix === undefined ? 'pk = :pk' : 'pk = :pk AND begins_with(sk, :prefix)',
      ExpressionAttributeValues: { ':pk': pk, ...(prefix === undefined ? {} : { ':prefix': prefix }) },
      ...projection,
    });
    for await (const { items } of pages) {
      for (const item of items) if (!this.#isExpired(item)) yield item;
    }
  }

  /**
   * At most `limit` items of the index partition `gsi1pk` with the greatest sort keys, below `before` when that is
   * given. Items expired or not `accepted` are passed over.
   */
  async newest(
    gsi1pk: string,
    limit: number,
    before: string | undefined,
    accepted: (item: Item) => boolean,
  ): Promise<Item[]> {
    const found: Item[] = [];
    const pages = queryPages(this.#client, {
      TableName: this.#name,
      IndexName: 'gsi1',
      ScanIndexForward: false,
      Limit: limit,
      KeyConditionExpression: before === undefined ? 'gsi1pk = :pk' : 'gsi1pk = :pk AND gsi1sk < :before',
      ExpressionAttributeValues: { ':pk': gsi1pk, ...(before === undefined ? {} : { ':before': before }) },
    });
    for await (const { items } of pages) {
      for (const item of items) {
        if (!this.#isExpired(item) && accepted(item)) found.push(item);
        if (found.length === limit) return found;
      }
    }
    return found;
  }

  #changeSet(
    change: 'ADD' | 'DELETE',
    key: Key,
    attribute: string,
    member: string,
    condition: Condition,
  ): Promise<boolean> {
    return this.#attempt('UpdateItem', () =>
      this.#client.send(
        new UpdateCommand({
          TableName: this.#name,
          Key: key,
          UpdateExpression: `${change} #set :member`,
          ...expressions(condition, { ':member': new Set([member]) }, { '#set': attribute }),
        }),
      ),
    );
  }

  #isExpired(item: Item): boolean {
    return typeof item.expiresAt === 'number' && item.expiresAt * 1000 <= this.#now();
  }

  async #attempt(call: string, send: () => Promise<unknown>): Promise<boolean> {
    return onDependency('DynamoDB', call, () => holds(send));
  }
}

/** Placeholders have letters, digits and underscores only; attributes may have more. */
const placeholder = (attribute: string): string => attribute.replaceAll(/\W/g, '_');

/** The names and values that `condition` mentions, and `others`, as DynamoDB wants them declared. */
function expressions({ expression, values }: Condition, others: Item, otherNames: Item = {}) {
  const mentioned = [...expression.matchAll(/#(\w+)/g)].map(([given, name]) => [given, name]);
  const names = { ...Object.fromEntries(mentioned), ...otherNames };
  const all = { ...others, ...values };
  return {
    ConditionExpression: expression,
    ...(Object.keys(names).length === 0 ? {} : { ExpressionAttributeNames: names }),
    ...(Object.keys(all).length === 0 ? {} : { ExpressionAttributeValues: all }),
  };
}
