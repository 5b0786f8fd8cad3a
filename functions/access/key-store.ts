import { type DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { capabilities, type Scope } from '../shared/contract.ts';

const scopes: readonly Scope[] = [
  'admin',
  'ingest',
  ...capabilities.flatMap((name): Scope[] => [`${name}:read`, `${name}:write`]),
];

/** An API key as it is stored: everything but the key. */
const keyRecordSchema = z.object({
  id: z.string(),
  /** See `hashKey`. */
  hash: z.string(),
  name: z.string(),
  scopes: z.array(z.enum(scopes)),
  state: z.enum(['active', 'revoked']),
  createdAt: z.iso.datetime(),
  /** The key is refused from then on. The item stays: it is not the table's time to live. */
  validUntil: z.iso.datetime().optional(),
  tenant: z.string().optional(),
});
export type KeyRecord = z.output<typeof keyRecordSchema>;

/** API keys in the access table. */
export class KeyStore {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  /** The key of that id. The read is consistent: a key works as soon as it exists. */
  async find(id: string): Promise<KeyRecord | undefined> {
    const { Item } = await this.#client.send(
      new GetCommand({ TableName: this.#table, Key: keyOf(id), ConsistentRead: true }),
    );
    return Item === undefined ? undefined : keyRecordSchema.parse(Item);
  }

  /**
   * Stores a new key.
   *
   * @returns whether it was stored; `false` when the id is taken.
   */
  async create(record: KeyRecord): Promise<boolean> {
    const index = { gsi1pk: 'KEYS', gsi1sk: `${record.createdAt}#${record.id}` };
    try {
      await this.#client.send(
        new PutCommand({
          TableName: this.#table,
          Item: { ...keyOf(record.id), ...index, ...record },
          ConditionExpression: 'attribute_not_exists(pk)',
        }),
      );
      return true;
    } catch (error) {
      if (error instanceof Error && error.name === 'ConditionalCheckFailedException') return false;
      throw error;
    }
  }
}

function keyOf(id: string): { pk: string; sk: string } {
  return { pk: `KEY#${id}`, sk: 'KEY' };
}
