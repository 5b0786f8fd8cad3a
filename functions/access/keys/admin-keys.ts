import { type DynamoDBDocumentClient, GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { ifHolds } from '../../shared/conditional-write.ts';
import { Problem } from '../../shared/problem.ts';
import { type KeyId, keyIdSchema } from './key-id.ts';
import type { KeyRecord } from './key-record.ts';
import type { KeyStore } from './key-store.ts';

const itemKey = { pk: 'ADMINS', sk: 'ADMINS' };
const itemSchema = z.object({
  ids: z.set(keyIdSchema).default(new Set()),
  /** Whether keys of before this item existed have been looked for. */
  complete: z.boolean().default(false),
});

/** Keys beyond this number are not in the set: they count for nothing, and may be revoked like any other. */
const maximumIds = 1_000;
/** Keys that are looked at to find one that remains, and how often the set may change meanwhile. */
const maximumLooks = 20;
const maximumAttempts = 10;

/** Whether a key is one of those of which the last has to stay: it can do everything, and goes on for ever. */
export function isLasting({ state, scopes, validUntil, tenant }: KeyRecord): boolean {
  return state === 'active' && scopes.includes('admin') && validUntil === undefined && tenant === undefined;
}

/**
 * The set of lasting admin keys, one item of the access table; of those that are in it, the last cannot leave. A key
 * enters once, before it is stored, and leaves before it is revoked, replaced or loses `admin`, none of which is ever
 * undone. So a stored key in the set is good, an id whose key was never stored is passed over, and a key that a crash
 * has left outside is only not counted.
 */
export class AdminKeys {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;
  readonly #keys: Pick<KeyStore, 'find' | 'list'>;

  constructor(client: DynamoDBDocumentClient, table: string, keys: Pick<KeyStore, 'find' | 'list'>) {
    this.#client = client;
    this.#table = table;
    this.#keys = keys;
  }

  /** Adds the id of a lasting key that is about to be stored, and never has been. */
  async join(id: KeyId): Promise<void> {
    await this.#update('ADD ids :id', 'attribute_not_exists(ids) OR size(ids) < :maximum', {
      ':id': new Set([id]),
      ':maximum': maximumIds,
    });
  }

  /**
   * Takes a key out of the set, where another one is in it that is good.
   *
   * @returns whether it is outside now; `false` when there is no other.
   * @throws Problem 409 when too many keys change at the same time.
   */
  async leave(id: KeyId): Promise<boolean> {
    for (let attempt = 0; attempt < maximumAttempts; attempt++) {
      const ids = await this.#members();
      const other = await this.#findGood([...ids].filter((one) => one !== id));
      if (other === undefined) return false;
      if (!ids.has(id)) return true;
      const left = await this.#update('DELETE ids :ids', 'contains(ids, :id) AND contains(ids, :other)', {
        ':ids': new Set([id]),
        ':id': id,
        ':other': other,
      });
      if (left) return true;
    }
    throw new Problem('conflict', 'Other admin keys are being changed at the same time. Try again.');
  }

  /** A key that is lasting in fact. Ids of keys that are not (never stored, or changed by hand) are taken out. */
  async #findGood(ids: readonly KeyId[]): Promise<KeyId | undefined> {
    for (const id of ids.slice(0, maximumLooks)) {
      const record = await this.#keys.find(id);
      if (record !== undefined && isLasting(record)) return id;
      await this.#update('DELETE ids :ids', 'attribute_exists(pk)', { ':ids': new Set([id]) });
    }
    return undefined;
  }

  async #members(): Promise<Set<KeyId>> {
    const { ids, complete } = await this.#get();
    if (complete) return ids;
    // A key leaves only after this, so what is found here cannot have left.
    const found = await this.#findLasting();
    await this.#update(
      found.length === 0 ? 'SET complete = :true' : 'SET complete = :true ADD ids :found',
      'attribute_not_exists(complete)',
      { ':true': true, ...(found.length === 0 ? {} : { ':found': new Set(found) }) },
    );
    return (await this.#get()).ids;
  }

  async #get(): Promise<z.output<typeof itemSchema>> {
    const { Item } = await this.#client.send(
      new GetCommand({ TableName: this.#table, Key: itemKey, ConsistentRead: true }),
    );
    return itemSchema.parse(Item ?? {});
  }

  /** The first lasting keys of the list. The list may be behind: each is read again. */
  async #findLasting(): Promise<KeyId[]> {
    const { records } = await this.#keys.list({ limit: maximumLooks, accepts: isLasting });
    const found: KeyId[] = [];
    for (const { id } of records) {
      const record = await this.#keys.find(id);
      if (record !== undefined && isLasting(record)) found.push(id);
    }
    return found;
  }

  async #update(change: string, condition: string, values: Record<string, unknown>): Promise<boolean> {
    const result = await ifHolds(() =>
      this.#client.send(
        new UpdateCommand({
          TableName: this.#table,
          Key: itemKey,
          UpdateExpression: change,
          ConditionExpression: condition,
          ExpressionAttributeValues: values,
        }),
      ),
    );
    return result !== undefined;
  }
}
