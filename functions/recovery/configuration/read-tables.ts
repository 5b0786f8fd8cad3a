import { type DynamoDBDocumentClient, GetCommand, type QueryCommandInput } from '@aws-sdk/lib-dynamodb';
import { onDependency } from '../../shared/dependency.ts';
import { queryPages } from '../../shared/query-pages.ts';
import { ObjectTooLargeError } from '../errors.ts';
import type { Configuration, TableName } from './document.ts';

export type Item = Record<string, unknown>;

/** Where the platform's own settings are. */
export interface PlatformTables {
  readonly access: string;
  readonly limits: string;
  readonly webhooks: string;
  readonly shards: string;
  readonly recovery: string;
}

/** Items of one kind: a function's memory holds them all. */
const maximumItems = 100_000;

/**
 * Reads what is set in the platform's tables; nothing that is counted, kept for a while, or noted about what was done.
 *
 * @throws ObjectTooLargeError, DependencyError
 */
export async function readTables(
  client: DynamoDBDocumentClient,
  tables: PlatformTables,
): Promise<Configuration['tables']> {
  const index = (TableName: string, partition: string) =>
    query(client, {
      TableName,
      IndexName: 'gsi1',
      KeyConditionExpression: 'gsi1pk = :pk',
      ExpressionAttributeValues: { ':pk': partition },
    });
  return {
    tenants: await index(tables.access, 'TENANTS'),
    keys: await index(tables.access, 'KEYS'),
    addressLists: await get(client, tables.limits, { pk: 'ADDRESSES', sk: 'LISTS' }),
    webhookEndpoints: await index(tables.webhooks, 'WEBHOOKS'),
    shards: await query(client, {
      TableName: tables.shards,
      ConsistentRead: true,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': 'SHARD' },
    }),
    automation: await get(client, tables.recovery, { pk: 'AUTOMATION', sk: 'RULE' }),
  };
}

/** The table that items of a kind are in. */
export const tableOf: Readonly<Record<TableName, keyof PlatformTables>> = {
  tenants: 'access',
  keys: 'access',
  addressLists: 'limits',
  webhookEndpoints: 'webhooks',
  shards: 'shards',
  automation: 'recovery',
};

async function get(client: DynamoDBDocumentClient, TableName: string, Key: Item): Promise<Item[]> {
  const answer = await onDependency('DynamoDB', 'GetItem', () =>
    client.send(new GetCommand({ TableName, Key, ConsistentRead: true })),
  );
  return answer.Item === undefined ? [] : [plain(answer.Item)];
}

async function query(client: DynamoDBDocumentClient, input: QueryCommandInput): Promise<Item[]> {
  const found: Item[] = [];
  for await (const { items } of queryPages(client, input)) {
    for (const item of items) if (!isExpired(item)) found.push(plain(item));
    if (found.length > maximumItems) {
      throw new ObjectTooLargeError(`${input.TableName} has more than ${maximumItems} items of one kind.`);
    }
  }
  return found.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

/** Tells an item from others of its table. */
export const keyOf = ({ pk, sk }: Item): string => `${String(pk)}\u0000${String(sk)}`;

const isExpired = ({ expiresAt }: Item): boolean =>
  typeof expiresAt === 'number' && expiresAt * 1000 <= Date.now();

/** Sets have no JSON form: they become `{"$set": […]}`. */
function plain(item: Item): Item {
  const convert = (value: unknown): unknown => {
    if (value instanceof Set) return { $set: [...value].map(String).sort() };
    if (Array.isArray(value)) return value.map(convert);
    if (value instanceof Uint8Array) return { $binary: Buffer.from(value).toString('base64') };
    if (typeof value === 'object' && value !== null) {
      return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, convert(member)]));
    }
    return value;
  };
  return Object.fromEntries(Object.entries(item).map(([name, value]) => [name, convert(value)]));
}
