import {
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  type QueryCommandInput,
  UpdateCommand,
  type UpdateCommandInput,
} from '@aws-sdk/lib-dynamodb';
import { holds } from '../../shared/conditional-write.ts';

export type Item = Record<string, unknown>;
export interface Key {
  readonly pk: string;
  readonly sk: string;
}

/** One page of a list. */
export interface Page<T> {
  readonly items: readonly T[];
  /** The last one's sort key, where more may follow. */
  readonly next: string | undefined;
}

/** What an update sets, removes, adds to and asks for; names in expressions are written `#name`, and found by that. */
export interface Update extends Pick<UpdateCommandInput, 'ConditionExpression'> {
  readonly UpdateExpression: string;
  readonly values?: Item;
}

/** A descending list: of a partition of the table, or of its index. */
export interface ListQuery {
  readonly pk: string;
  readonly index?: 'gsi1';
  /** Only sort keys that begin so. */
  readonly prefix: string;
  readonly limit: number;
  /** Only sort keys below this one. */
  readonly before: string | undefined;
}

/** Greater than every character of a sort key. */
const last = '\uffff';

/** Single-item reads and writes on the webhooks table. Items past their `expiresAt` are gone, be they still there. */
export class WebhooksTable {
  readonly #client: DynamoDBDocumentClient;
  readonly #name: string;
  readonly #now: () => number;

  constructor(client: DynamoDBDocumentClient, name: string, now: () => number = Date.now) {
    this.#client = client;
    this.#name = name;
    this.#now = now;
  }

  async get(key: Key): Promise<Item | undefined> {
    const { Item } = await this.#client.send(
      new GetCommand({ TableName: this.#name, Key: key, ConsistentRead: true }),
    );
    return Item === undefined || this.#isExpired(Item) ? undefined : Item;
  }

  /** Adds an item; `false` when one is there already. */
  async add(item: Item & Key): Promise<boolean> {
    return holds(() =>
      this.#client.send(
        new PutCommand({
          TableName: this.#name,
          Item: item,
          ConditionExpression: 'attribute_not_exists(pk)',
        }),
      ),
    );
  }

  /** `false` when the condition does not hold. */
  async update(key: Key, { values, ...expressions }: Update): Promise<boolean> {
    return holds(() =>
      this.#client.send(
        new UpdateCommand({
          TableName: this.#name,
          Key: key,
          ...expressions,
          ...namesIn(Object.values(expressions).join(' ')),
          ...(values === undefined ? {} : { ExpressionAttributeValues: values }),
        }),
      ),
    );
  }

  /** `false` when there was none. */
  async remove(key: Key): Promise<boolean> {
    return holds(() =>
      this.#client.send(
        new DeleteCommand({
          TableName: this.#name,
          Key: key,
          ConditionExpression: 'attribute_exists(pk)',
        }),
      ),
    );
  }

  /** Items with the greatest sort keys first. */
  async list({ pk, index, prefix, limit, before }: ListQuery): Promise<Page<Item>> {
    const [partition, sort] = index === undefined ? ['pk', 'sk'] : ['gsi1pk', 'gsi1sk'];
    const query: QueryCommandInput = {
      TableName: this.#name,
      ...(index === undefined ? { ConsistentRead: true } : { IndexName: index }),
      ScanIndexForward: false,
      Limit: limit + 1,
      KeyConditionExpression: '#partition = :pk AND #sort BETWEEN :from AND :to',
      ExpressionAttributeNames: { '#partition': partition, '#sort': sort },
      ExpressionAttributeValues: { ':pk': pk, ':from': prefix, ':to': before ?? prefix + last },
    };
    const found: Item[] = [];
    let start: Item | undefined;
    do {
      const page = await this.#client.send(
        new QueryCommand({ ...query, ...(start === undefined ? {} : { ExclusiveStartKey: start }) }),
      );
      found.push(...(page.Items ?? []).filter((item) => item[sort] !== before && !this.#isExpired(item)));
      start = page.LastEvaluatedKey;
    } while (start !== undefined && found.length <= limit);
    const items = found.slice(0, limit);
    const final = items.at(-1)?.[sort];
    return { items, next: found.length > limit && typeof final === 'string' ? final : undefined };
  }

  #isExpired({ expiresAt }: Item): boolean {
    return typeof expiresAt === 'number' && expiresAt * 1000 <= this.#now();
  }
}

function namesIn(expressions: string) {
  const names = [...expressions.matchAll(/#(\w+)/g)].map(([placeholder, name]) => [placeholder, name]);
  return names.length === 0 ? {} : { ExpressionAttributeNames: Object.fromEntries(names) };
}
