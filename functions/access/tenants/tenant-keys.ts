import { type DynamoDBDocumentClient, GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { ifHolds } from '../../shared/conditional-write.ts';
import { type KeyId, keyIdSchema } from '../keys/key-id.ts';
import type { TenantId } from './tenant.ts';

/** Keys of one tenant that are not revoked. */
export const maximumKeys = 200;

const heldSchema = z.object({ keys: z.set(keyIdSchema).default(new Set()) });

/** The ids of a tenant's keys that are not revoked, in the tenant's own item: it cannot be removed while it has some. */
export class TenantKeys {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  /** Notes a key; twice is once. @returns `false` when the tenant is not active, or has `maximumKeys` others. */
  async hold(id: TenantId, keyId: KeyId): Promise<boolean> {
    const held = await ifHolds(() =>
      this.#client.send(
        new UpdateCommand({
          TableName: this.#table,
          Key: tenantKeyOf(id),
          UpdateExpression: 'ADD #keys :keys',
          ConditionExpression:
            '#state = :active AND (attribute_not_exists(#keys) OR size(#keys) < :maximum OR contains(#keys, :id))',
          ExpressionAttributeNames: { '#keys': 'keys', '#state': 'state' },
          ExpressionAttributeValues: {
            ':keys': new Set([keyId]),
            ':id': keyId,
            ':active': 'active',
            ':maximum': maximumKeys,
          },
        }),
      ),
    );
    return held !== undefined;
  }

  /** Forgets a key that is revoked. */
  async release(id: TenantId, keyId: KeyId): Promise<void> {
    await ifHolds(() =>
      this.#client.send(
        new UpdateCommand({
          TableName: this.#table,
          Key: tenantKeyOf(id),
          UpdateExpression: 'DELETE #keys :keys',
          ConditionExpression: 'attribute_exists(pk)',
          ExpressionAttributeNames: { '#keys': 'keys' },
          ExpressionAttributeValues: { ':keys': new Set([keyId]) },
        }),
      ),
    );
  }

  /** The keys that are noted; one whose revocation was left half-way may be among them. */
  async held(id: TenantId): Promise<KeyId[]> {
    const { Item } = await this.#client.send(
      new GetCommand({ TableName: this.#table, Key: tenantKeyOf(id), ConsistentRead: true }),
    );
    return [...heldSchema.parse(Item ?? {}).keys];
  }
}

/** The key of a tenant's item. */
export const tenantKeyOf = (id: string) => ({ pk: `TENANT#${id}`, sk: 'TENANT' });
