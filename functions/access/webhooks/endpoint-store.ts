import type { TenantId } from '../tenants/tenant.ts';
import { type EndpointRecord, endpointRecordSchema, type Rotation } from './endpoint-record.ts';
import { used } from './expressions.ts';
import type { DeliveryId, WebhookId } from './ids.ts';
import type { Disabled } from './model.ts';
import { type Owner, OwnerIndex } from './owner-index.ts';
import type { Item, Page, WebhooksTable } from './webhooks-table.ts';

const listPartition = 'WEBHOOKS';
const listPrefix = 'CREATED#';
const endpointKey = (id: WebhookId) => ({ pk: `WEBHOOK#${id}`, sk: 'ENDPOINT' });

/** Members of an endpoint that the API changes. */
export type EndpointChanges = {
  readonly [Name in 'url' | 'description' | 'events']?: EndpointRecord[Name] | undefined;
};

/** The endpoints there are. Every change is one conditional write; it answers whether it took place. */
export class EndpointStore {
  readonly #table: WebhooksTable;
  readonly #owners: OwnerIndex;

  constructor(table: WebhooksTable) {
    this.#table = table;
    this.#owners = new OwnerIndex(table);
  }

  async find(id: WebhookId): Promise<EndpointRecord | undefined> {
    const item = await this.#table.get(endpointKey(id));
    return item === undefined ? undefined : endpointRecordSchema.parse(item);
  }

  /** @returns `false` when the owner has as many as there can be. */
  async create(record: EndpointRecord): Promise<boolean> {
    const { id, tenantId, createdAt } = record;
    const now = Date.parse(createdAt);
    if (!(await this.#owners.add(tenantId, id, now))) {
      await this.#owners.dropAbsent(tenantId, async (other) => (await this.find(other)) !== undefined, now);
      if (!(await this.#owners.add(tenantId, id, now))) return false;
    }
    const index = { gsi1pk: listPartition, gsi1sk: `${listPrefix}${createdAt}#${id}` };
    await this.#table.add({ ...record, ...endpointKey(id), ...index });
    return true;
  }

  /** The newest first, of everybody. */
  async list(limit: number, before: string | undefined): Promise<Page<EndpointRecord>> {
    const place = { pk: listPartition, index: 'gsi1', prefix: listPrefix } as const;
    const page = await this.#table.list({ ...place, limit, before });
    return { ...page, items: page.items.map((item) => endpointRecordSchema.parse(item)) };
  }

  /** All endpoints of an owner, the newest first; at most `maximumEndpoints`. */
  async ofOwner(owner: Owner): Promise<EndpointRecord[]> {
    const ids = [...(await this.#owners.idsOf(owner))].sort().reverse();
    const found = await Promise.all(ids.map((id) => this.find(id)));
    return found.filter((record) => record !== undefined);
  }

  /** How many endpoints a tenant has. */
  async countEndpointsOf(tenantId: TenantId): Promise<number> {
    return (await this.ofOwner(tenantId)).length;
  }

  /** @returns `false` when there is no such endpoint. */
  async change(id: WebhookId, changes: EndpointChanges): Promise<boolean> {
    const given = Object.entries(changes).filter(([, value]) => value !== undefined);
    if (given.length === 0) return (await this.find(id)) !== undefined;
    // Another URL has not failed yet.
    const removed = changes.url === undefined ? '' : ' REMOVE #failingSince';
    return this.#update(id, {
      set: `${given.map(([name]) => `#${name} = :${name}`).join(', ')}${removed}`,
      values: Object.fromEntries(given.map(([name, value]) => [`:${name}`, value])),
    });
  }

  /** @returns `false` when there is no such endpoint. */
  async enable(id: WebhookId): Promise<boolean> {
    return this.#update(id, {
      set: '#state = :enabled REMOVE #disabled, #disabledBy, #failingSince',
      values: { ':enabled': 'enabled' },
    });
  }

  /**
   * Disables an endpoint that is enabled, or was disabled by the same delivery already.
   *
   * @returns `false` when it is neither, or not there.
   */
  async disable(id: WebhookId, disabled: Disabled, by?: DeliveryId): Promise<boolean> {
    const set = '#state = :disabled, #disabled = :why';
    const values = { ':disabled': 'disabled', ':why': disabled, ':enabled': 'enabled' };
    if (by === undefined) {
      return this.#update(id, { set: `${set} REMOVE #disabledBy`, values }, '#state = :enabled');
    }
    return this.#update(
      id,
      { set: `${set}, #disabledBy = :by`, values: { ...values, ':by': by } },
      '(#state = :enabled OR #disabledBy = :by)',
    );
  }

  /**
   * Gives an endpoint a new secret. Asked again for the same work it replaces the new one only, which nobody has been
   * shown: the one before it signs for as long as was said at first.
   *
   * @returns `false` when the secret has changed since `record` was read.
   */
  async rotate(record: EndpointRecord, { secret, workId, previousUntil }: Rotation): Promise<boolean> {
    const values = {
      ...{ ':secret': secret, ':seen': record.secret },
      ...{ ':workId': workId, ':until': previousUntil },
    };
    const set = '#secret = :secret, #rotatedFor = :workId';
    const previous =
      record.rotatedFor === workId
        ? ''
        : previousUntil === undefined
          ? ' REMOVE #previousSecret, #previousUntil'
          : ', #previousSecret = :seen, #previousUntil = :until';
    return this.#update(record.id, { set: `${set}${previous}`, values }, '#secret = :seen');
  }

  /** Notes that nothing has gone well since then, unless that is known from before. */
  async markFailing(id: WebhookId, since: string): Promise<void> {
    await this.#update(
      id,
      { set: '#failingSince = :since', values: { ':since': since } },
      'attribute_not_exists(#failingSince)',
    );
  }

  /** Notes that an attempt went well. */
  async markWell(id: WebhookId): Promise<void> {
    await this.#table.update(endpointKey(id), {
      UpdateExpression: 'REMOVE #failingSince',
      ConditionExpression: 'attribute_exists(#pk)',
    });
  }

  /** @returns `false` when there is no such endpoint. */
  async remove({ id, tenantId }: Pick<EndpointRecord, 'id' | 'tenantId'>): Promise<boolean> {
    const removed = await this.#table.remove(endpointKey(id));
    await this.#owners.remove(tenantId, id);
    return removed;
  }

  async #update(
    id: WebhookId,
    { set, values }: { set: string; values: Item },
    condition = '',
  ): Promise<boolean> {
    const exists = 'attribute_exists(#pk)';
    return this.#table.update(endpointKey(id), {
      UpdateExpression: `SET ${set}`,
      ConditionExpression: condition === '' ? exists : `${exists} AND ${condition}`,
      values: used(values, `${set} ${condition}`),
    });
  }
}
