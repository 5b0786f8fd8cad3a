import type { DeliveryFailure, DeliveryRecord, Replay } from './delivery-record.ts';
import { deliveryRecordSchema } from './delivery-record.ts';
import { assign } from './expressions.ts';
import { type DeliveryId, deliveryIdOf, type WebhookId } from './ids.ts';
import type { Message } from './message.ts';
import type { Attempt, DeliveryState } from './model.ts';
import type { Page, WebhooksTable } from './webhooks-table.ts';

/** How long deliveries can be seen and replayed, in days. */
export const keptDays = 30;
/** A delivery is run so often at most, replays included. */
export const maximumRuns = 10;

const prefix = 'DELIVERY#';
const deliveryKey = (webhookId: WebhookId, id: string) => ({
  pk: `WEBHOOK#${webhookId}`,
  sk: prefix + id,
});
const statePartition = (webhookId: WebhookId, state: DeliveryState) => `DELIVERIES#${webhookId}#${state}`;
const expiry = (now: number) => Math.floor(now / 1000) + keptDays * 86_400;

/** What ends a run. */
export interface End {
  readonly state: 'completed' | 'failed' | 'canceled';
  readonly finishedAt: string;
  readonly error?: DeliveryFailure;
}

/**
 * Deliveries and the changes of state each may go through: queued → running → completed, failed or canceled → queued when
 * it is replayed. Every change is one conditional write; it answers whether it took place.
 */
export class DeliveryStore {
  readonly #table: WebhooksTable;

  constructor(table: WebhooksTable) {
    this.#table = table;
  }

  async find(webhookId: WebhookId, id: DeliveryId): Promise<DeliveryRecord | undefined> {
    const item = await this.#table.get(deliveryKey(webhookId, id));
    return item === undefined ? undefined : deliveryRecordSchema.parse(item);
  }

  /** The delivery of a message to an endpoint: a new one, or the one that is there already. */
  async ensure(
    webhookId: WebhookId,
    message: Message,
    traceparent: string,
    now: number,
  ): Promise<DeliveryRecord> {
    const id = deliveryIdOf(webhookId, message.id, Date.parse(message.occurredAt));
    const record: DeliveryRecord = {
      id,
      webhookId,
      messageId: message.id,
      type: message.type,
      state: 'queued',
      run: 1,
      attempt: 0,
      attempts: [],
      occurredAt: message.occurredAt,
      createdAt: new Date(now).toISOString(),
      body: message.body,
      traceparent,
    };
    const added = await this.#table.add({
      ...record,
      ...deliveryKey(webhookId, id),
      gsi1pk: statePartition(webhookId, 'queued'),
      gsi1sk: prefix + id,
      expiresAt: expiry(now),
    });
    return added ? record : ((await this.find(webhookId, id)) ?? record);
  }

  /** Those of the newest events first. */
  async list(
    webhookId: WebhookId,
    options: { state: DeliveryState | undefined; limit: number; before: string | undefined },
  ): Promise<Page<DeliveryRecord>> {
    const { state, limit, before } = options;
    const page = await this.#table.list({
      prefix,
      limit,
      before,
      ...(state === undefined
        ? { pk: `WEBHOOK#${webhookId}` }
        : { pk: statePartition(webhookId, state), index: 'gsi1' }),
    });
    return { ...page, items: page.items.map((item) => deliveryRecordSchema.parse(item)) };
  }

  /**
   * Adds an attempt to the run it belongs to, and ends the run with it where there is an end.
   *
   * @returns `false` when that attempt is recorded already, or the run is over.
   */
  async addAttempt(record: DeliveryRecord, attempt: Attempt, end: End | undefined): Promise<boolean> {
    const { webhookId, id } = record;
    const state = end?.state ?? 'running';
    const next = attempt.nextAttemptAt;
    const sets = ['#attempts = list_append(#attempts, :attempts)', '#attempt = :number', ...stateSets];
    const optional = { nextAttemptAt: next ?? undefined, finishedAt: end?.finishedAt, error: end?.error };
    const { UpdateExpression, values } = assign(sets, optional);
    return this.#table.update(deliveryKey(webhookId, id), {
      UpdateExpression,
      ConditionExpression: `#run = :run AND #attempt = :before AND ${isActive}`,
      values: {
        ...values,
        ':attempts': [attempt],
        ':number': attempt.number,
        ':before': attempt.number - 1,
        ':run': attempt.run,
        ':state': state,
        ':partition': statePartition(webhookId, state),
        ...active,
      },
    });
  }

  /** @returns `false` when that run is over. */
  async end(webhookId: WebhookId, id: DeliveryId, run: number, end: End): Promise<boolean> {
    const optional = { nextAttemptAt: undefined, finishedAt: end.finishedAt, error: end.error };
    const { UpdateExpression, values } = assign([...stateSets], optional);
    return this.#table.update(deliveryKey(webhookId, id), {
      UpdateExpression,
      ConditionExpression: `#run = :run AND ${isActive}`,
      values: {
        ...values,
        ':run': run,
        ':state': end.state,
        ':partition': statePartition(webhookId, end.state),
        ...active,
      },
    });
  }

  /** Queues a delivery anew; `false` when it is not over, or has been replayed in the meantime or often enough. */
  async replay(record: DeliveryRecord, { workId, traceparent, now }: Replay): Promise<boolean> {
    const { webhookId, id, run } = record;
    const sets = ['#run = :next', '#attempt = :zero', '#replayedFor = :workId'];
    const until = ['#traceparent = :traceparent', '#expiresAt = :expiry'];
    const { UpdateExpression } = assign([...sets, ...until, ...stateSets], {
      nextAttemptAt: undefined,
      finishedAt: undefined,
      error: undefined,
    });
    return this.#table.update(deliveryKey(webhookId, id), {
      UpdateExpression,
      ConditionExpression: `attribute_exists(#pk) AND #run = :run AND #run < :maximum AND NOT (${isActive})`,
      values: {
        ':next': run + 1,
        ':run': run,
        ':maximum': maximumRuns,
        ':zero': 0,
        ':workId': workId,
        ':traceparent': traceparent,
        ':expiry': expiry(now),
        ':state': 'queued',
        ':partition': statePartition(webhookId, 'queued'),
        ...active,
      },
    });
  }
}

const stateSets = ['#state = :state', '#gsi1pk = :partition'];
const isActive = '#state IN (:queued, :running)';
const active = { ':queued': 'queued', ':running': 'running' };
