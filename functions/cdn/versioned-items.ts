import { type DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { holds, ifVersion } from '../shared/conditional-write.ts';
import { onDependency } from '../shared/dependency.ts';

export interface ItemKey {
  readonly pk: string;
  readonly sk: string;
}

/** Items that are read, changed and written on the condition that nobody else has written meanwhile. */
export class VersionedItems {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;
  readonly #now: () => number;

  constructor(client: DynamoDBDocumentClient, table: string, now: () => number = Date.now) {
    this.#client = client;
    this.#table = table;
    this.#now = now;
  }

  /** @returns nothing where there is none, or one that has expired. @throws DependencyError */
  async get({ pk, sk }: ItemKey): Promise<Record<string, unknown> | undefined> {
    const { Item } = await onDependency('DynamoDB', 'GetItem', () =>
      this.#client.send(new GetCommand({ TableName: this.#table, Key: { pk, sk }, ConsistentRead: true })),
    );
    const expired = typeof Item?.expiresAt === 'number' && Item.expiresAt * 1000 <= this.#now();
    return expired ? undefined : Item;
  }

  /**
   * Writes an item.
   *
   * @param replaced version of the item that it takes the place of; 0: there must be none.
   * @returns whether it was written; `false` when another version is there. @throws DependencyError
   */
  async put(item: ItemKey & Record<string, unknown>, replaced: number): Promise<boolean> {
    return onDependency('DynamoDB', 'PutItem', () =>
      holds(() =>
        this.#client.send(
          new PutCommand({
            TableName: this.#table,
            Item: { ...item, version: replaced + 1 },
            ...ifVersion(replaced),
          }),
        ),
      ),
    );
  }
}
