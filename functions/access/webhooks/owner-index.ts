import { decodeTime } from 'ulid';
import * as z from 'zod';
import type { TenantId } from '../tenants/tenant.ts';
import { type WebhookId, webhookIdSchema } from './ids.ts';
import { maximumEndpoints } from './model.ts';
import type { WebhooksTable } from './webhooks-table.ts';

/** Whose endpoints: a tenant's, or the platform's own. */
export type Owner = TenantId | null;

/** A creation that was not cut short has ended by then, in milliseconds. */
const creationMs = 60_000;

const ownerKey = (owner: Owner) => ({
  pk: owner === null ? 'OWNER' : `OWNER#${owner}`,
  sk: 'ENDPOINTS',
});
const itemSchema = z.object({ ids: z.set(webhookIdSchema).optional() });

/**
 * The ids of each owner's endpoints, in one item, which bounds their number and finds them in one consistent read. An
 * endpoint is in it before it exists, and until it exists no longer.
 */
export class OwnerIndex {
  readonly #table: WebhooksTable;

  constructor(table: WebhooksTable) {
    this.#table = table;
  }

  async idsOf(owner: Owner): Promise<readonly WebhookId[]> {
    const { ids } = itemSchema.parse((await this.#table.get(ownerKey(owner))) ?? {});
    return [...(ids ?? [])];
  }

  /** Twice is once. @returns `false` when the owner has as many others as there can be. */
  async add(owner: Owner, id: WebhookId): Promise<boolean> {
    return this.#table.update(ownerKey(owner), {
      UpdateExpression: 'ADD #ids :id',
      ConditionExpression: 'attribute_not_exists(#ids) OR size(#ids) < :maximum OR contains(#ids, :one)',
      values: { ':id': new Set([id]), ':one': id, ':maximum': maximumEndpoints },
    });
  }

  async remove(owner: Owner, ids: readonly WebhookId[]): Promise<void> {
    if (ids.length === 0) return;
    await this.#table.update(ownerKey(owner), {
      UpdateExpression: 'DELETE #ids :gone',
      values: { ':gone': new Set(ids) },
    });
  }

  /** Forgets ids that a creation or a deletion left behind which was cut short. */
  async keepOnly(owner: Owner, present: readonly WebhookId[], now: number): Promise<void> {
    const left = (await this.idsOf(owner)).filter(
      (id) => !present.includes(id) && decodeTime(id) < now - creationMs,
    );
    await this.remove(owner, left);
  }
}
