import {
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  UpdateCommand,
  type UpdateCommandInput,
} from '@aws-sdk/lib-dynamodb';
import { ifHolds } from '../../shared/conditional-write.ts';
import type { KeyId } from './key-id.ts';
import { type KeyRecord, keyRecordSchema } from './key-record.ts';

export type { KeyRecord };
/** What is absent or `undefined` stays as it is. */
export type KeyChanges = { readonly [M in 'name' | 'tier' | 'scopes']?: KeyRecord[M] | undefined };

export interface KeyQuery {
  /** How many keys at most. */
  readonly limit: number;
  /** Where the page before ended. */
  readonly before?: string | undefined;
  readonly accepts?: (record: KeyRecord) => boolean;
}

/** Keys read at once, and how often for one page: what no filter accepts ends a page early. */
const readSize = 100;
const maximumReads = 10;

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
    const stored = await ifHolds(() =>
      this.#client.send(
        new PutCommand({
          TableName: this.#table,
          Item: { ...keyOf(record.id), gsi1pk: 'KEYS', gsi1sk: positionOf(record), ...record },
          ConditionExpression: 'attribute_not_exists(pk)',
        }),
      ),
    );
    return stored !== undefined;
  }

  /**
   * Keys, newest first; a new one is in the list after a moment. A page may have fewer than `limit` and yet not be
   * the last.
   *
   * @returns the keys, and where the next page begins unless this is the last.
   */
  async list(query: KeyQuery): Promise<{ records: KeyRecord[]; next: string | undefined }> {
    const { limit, accepts = () => true } = query;
    const records: KeyRecord[] = [];
    let before = query.before;
    for (let read = 0; read < maximumReads; read++) {
      const { Items = [], LastEvaluatedKey } = await this.#read(before);
      for (const item of Items) {
        const record = keyRecordSchema.parse(item);
        const [last] = records.slice(-1);
        if (accepts(record)) {
          if (records.length === limit) return { records, next: last && positionOf(last) };
          records.push(record);
        }
        before = positionOf(record);
      }
      if (LastEvaluatedKey === undefined) return { records, next: undefined };
    }
    return { records, next: before };
  }

  /**
   * Gives a key that is not revoked another secret, for the request that made it.
   *
   * @returns the key; `undefined` when it is revoked, or another request made it.
   */
  async renew(id: KeyId, workId: string, hash: string): Promise<KeyRecord | undefined> {
    return this.#update(id, { workId, hash }, { condition: '#workId = :new_workId' });
  }

  /** Changes a key that is not revoked. `admin` stays where it is and is not given. */
  async change(id: KeyId, changes: KeyChanges): Promise<KeyRecord | undefined> {
    const keepsAdmin = changes.scopes?.includes('admin') === true;
    return this.#update(
      id,
      changes,
      keepsAdmin ? { condition: 'contains(#scopes, :admin)', values: { ':admin': 'admin' } } : {},
    );
  }

  /** Lets a key end in favour of another, unless it is revoked or has been replaced already. */
  async replace(id: KeyId, replacedBy: KeyId, validUntil: string): Promise<KeyRecord | undefined> {
    return this.#update(id, { replacedBy, validUntil }, { condition: 'attribute_not_exists(#replacedBy)' });
  }

  /** Revokes a key that is not revoked. */
  async revoke(id: KeyId, revokedAt: string): Promise<KeyRecord | undefined> {
    return this.#update(id, { state: 'revoked', revokedAt }, {});
  }

  /** @returns the key as it is now; `undefined` when it does not exist, is revoked, or the condition does not hold. */
  async #update(
    id: KeyId,
    changes: { readonly [M in keyof KeyRecord]?: KeyRecord[M] | undefined },
    { condition, values }: { condition?: string; values?: Record<string, unknown> },
  ): Promise<KeyRecord | undefined> {
    const members = Object.entries(changes).filter(([, value]) => value !== undefined);
    const names = new Set(['state', ...members.map(([name]) => name)]);
    const input: UpdateCommandInput = {
      TableName: this.#table,
      Key: keyOf(id),
      UpdateExpression: `SET ${members.map(([name]) => `#${name} = :new_${name}`).join(', ')}`,
      ConditionExpression: ['#state = :active', ...(condition === undefined ? [] : [condition])].join(
        ' AND ',
      ),
      ExpressionAttributeNames: Object.fromEntries([...names].map((name) => [`#${name}`, name])),
      ExpressionAttributeValues: {
        ':active': 'active',
        ...Object.fromEntries(members.map(([name, value]) => [`:new_${name}`, value])),
        ...values,
      },
      ReturnValues: 'ALL_NEW',
    };
    const result = await ifHolds(() => this.#client.send(new UpdateCommand(input)));
    return result === undefined ? undefined : keyRecordSchema.parse(result.Attributes);
  }

  #read(before: string | undefined) {
    return this.#client.send(
      new QueryCommand({
        TableName: this.#table,
        IndexName: 'gsi1',
        ScanIndexForward: false,
        Limit: readSize,
        KeyConditionExpression: before === undefined ? 'gsi1pk = :pk' : 'gsi1pk = :pk AND gsi1sk < :before',
        ExpressionAttributeValues: { ':pk': 'KEYS', ...(before === undefined ? {} : { ':before': before }) },
      }),
    );
  }
}

const keyOf = (id: string) => ({ pk: `KEY#${id}`, sk: 'KEY' });
const positionOf = ({ createdAt, id }: KeyRecord) => `${createdAt}#${id}`;
