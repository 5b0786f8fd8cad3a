import {
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { holds, ifHolds } from '../../shared/conditional-write.ts';
import { newId } from '../../shared/ids.ts';
import { type Tenant, type TenantId, tenantSchema } from './tenant.ts';
import { TenantKeys, tenantKeyOf } from './tenant-keys.ts';

/** What is absent or `undefined` stays as it is. */
export type TenantChanges = { readonly [M in 'name' | 'tier' | 'state']?: Tenant[M] | undefined };

const recordSchema = tenantSchema.strip();

/** Tenants in the access table. */
export class TenantStore {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;
  /** The ids of tenants' keys that are not revoked. */
  readonly keys: TenantKeys;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
    this.keys = new TenantKeys(client, table);
  }

  /** The read is consistent: a suspended tenant is seen as one at once. */
  async find(id: string): Promise<Tenant | undefined> {
    const Item = await this.#get(id);
    return Item === undefined ? undefined : recordSchema.parse(Item);
  }

  /**
   * Stores a new tenant.
   *
   * @param workId of the request that makes it. Default: a new one.
   * @returns the tenant, as it is now when the same request has made it before; `undefined` when the id is taken.
   */
  async create(tenant: Tenant, workId = newId()): Promise<Tenant | undefined> {
    const index = { gsi1pk: 'TENANTS', gsi1sk: tenant.id };
    const stored = await holds(() =>
      this.#client.send(
        new PutCommand({
          TableName: this.#table,
          Item: { ...tenantKeyOf(tenant.id), ...index, ...tenant, workId },
          ConditionExpression: 'attribute_not_exists(pk)',
        }),
      ),
    );
    if (stored) return tenant;
    const Item = await this.#get(tenant.id);
    return Item?.workId === workId ? recordSchema.parse(Item) : undefined;
  }

  /**
   * Tenants by their ids; a new one is in the list after a moment.
   *
   * @param after the id that the page before ended with.
   * @returns at most `limit`, and where the next page begins unless this is the last.
   */
  async list(limit: number, after?: string): Promise<{ tenants: Tenant[]; next: TenantId | undefined }> {
    const { Items = [], LastEvaluatedKey } = await this.#client.send(
      new QueryCommand({
        TableName: this.#table,
        IndexName: 'gsi1',
        Limit: limit,
        KeyConditionExpression: after === undefined ? 'gsi1pk = :pk' : 'gsi1pk = :pk AND gsi1sk > :after',
        ExpressionAttributeValues: { ':pk': 'TENANTS', ...(after === undefined ? {} : { ':after': after }) },
      }),
    );
    const tenants = Items.map((item) => recordSchema.parse(item));
    return { tenants, next: LastEvaluatedKey === undefined ? undefined : tenants.at(-1)?.id };
  }

  /** @returns the tenant before and after; `undefined` when it does not exist. */
  async change(
    id: TenantId,
    changes: TenantChanges,
    updatedAt: string,
  ): Promise<{ before: Tenant; after: Tenant } | undefined> {
    const members = Object.entries({ ...changes, updatedAt }).filter(([, value]) => value !== undefined);
    const result = await ifHolds(() =>
      this.#client.send(
        new UpdateCommand({
          TableName: this.#table,
          Key: tenantKeyOf(id),
          UpdateExpression: `SET ${members.map(([name]) => `#${name} = :${name}`).join(', ')}`,
          ConditionExpression: 'attribute_exists(pk)',
          ExpressionAttributeNames: Object.fromEntries(members.map(([name]) => [`#${name}`, name])),
          ExpressionAttributeValues: Object.fromEntries(members.map(([name, value]) => [`:${name}`, value])),
          ReturnValues: 'ALL_OLD',
        }),
      ),
    );
    if (result === undefined) return undefined;
    const before = recordSchema.parse(result.Attributes);
    return { before, after: tenantSchema.parse({ ...before, ...Object.fromEntries(members) }) };
  }

  /** Removes a tenant without keys. @returns what it was; `undefined` when it has keys or does not exist. */
  async remove(id: TenantId): Promise<Tenant | undefined> {
    const result = await ifHolds(() =>
      this.#client.send(
        new DeleteCommand({
          TableName: this.#table,
          Key: tenantKeyOf(id),
          ConditionExpression: 'attribute_exists(pk) AND attribute_not_exists(#keys)',
          ExpressionAttributeNames: { '#keys': 'keys' },
          ReturnValues: 'ALL_OLD',
        }),
      ),
    );
    return result === undefined ? undefined : recordSchema.parse(result.Attributes);
  }

  async #get(id: string): Promise<Record<string, unknown> | undefined> {
    const { Item } = await this.#client.send(
      new GetCommand({ TableName: this.#table, Key: tenantKeyOf(id), ConsistentRead: true }),
    );
    return Item;
  }
}
