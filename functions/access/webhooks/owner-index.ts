import * as z from 'zod';
import type { TenantId } from '../tenants/tenant.ts';
import { used } from './expressions.ts';
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
const itemSchema = z.object({
  ids: z.set(webhookIdSchema).optional(),
  /** When an id was added last, in milliseconds since the epoch. */
  addedAt: z.number().optional(),
});

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
    const { ids } = await this.#read(owner);
    return [...(ids ?? [])];
  }

  /** Twice is once. @returns `false` when the owner has as many others as there can be. */
  async add(owner: Owner, id: WebhookId, now: number): Promise<boolean> {
    return this.#table.update(ownerKey(owner), {
      UpdateExpression: 'ADD #ids :id SET #addedAt = :now',
      ConditionExpression: 'attribute_not_exists(#ids) OR size(#ids) < :maximum OR contains(#ids, :one)',
      values: { ':id': new Set([id]), ':one': id, ':maximum': maximumEndpoints, ':now': now },
    });
  }

  async remove(owner: Owner, id: WebhookId): Promise<void> {
    await this.#table.update(ownerKey(owner), {
      UpdateExpression: 'DELETE #ids :gone',
      values: { ':gone': new Set([id]) },
    });
  }

  /**
   * Forgets ids that a creation or a deletion left behind which was cut short. While a creation may be at work, which is
   * known by the last addition since its id may be of any age, it forgets none.
   */
  async dropAbsent(owner: Owner, isPresent: (id: WebhookId) => Promise<boolean>, now: number): Promise<void> {
    const { ids = [], addedAt } = await this.#read(owner);
    if (addedAt !== undefined && addedAt > now - creationMs) return;
    const judged = await Promise.all([...ids].map(async (id) => ({ id, present: await isPresent(id) })));
    const gone = judged.filter(({ present }) => !present).map(({ id }) => id);
    if (gone.length === 0) return;
    const unchanged = addedAt === undefined ? 'attribute_not_exists(#addedAt)' : '#addedAt = :addedAt';
    await this.#table.update(ownerKey(owner), {
      UpdateExpression: 'DELETE #ids :gone',
      ConditionExpression: unchanged,
      values: used({ ':gone': new Set(gone), ':addedAt': addedAt }, `:gone ${unchanged}`),
    });
  }

  async #read(owner: Owner) {
    return itemSchema.parse((await this.#table.get(ownerKey(owner))) ?? {});
  }
}
