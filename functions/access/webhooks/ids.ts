import { createHash } from 'node:crypto';
import { ulid } from 'ulid';
import * as z from 'zod';

const ulidPattern = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;
const ulidText = 'has 26 digits and capital letters';

/** Names a webhook: an endpoint that is told of events. */
export const webhookIdSchema = z
  .string()
  .regex(ulidPattern, ulidText)
  .brand<'WebhookId'>()
  .meta({ title: 'Webhook id', examples: ['01K9Z3V5Q0J8X7N2T4R6M1C9HB'] });
export type WebhookId = z.output<typeof webhookIdSchema>;

/** Names the delivery of one event to one endpoint; it sorts by the time of the event. */
export const deliveryIdSchema = z
  .string()
  .regex(ulidPattern, ulidText)
  .brand<'DeliveryId'>()
  .meta({ title: 'Delivery id', examples: ['01K9Z4A1S5F3D7G9H2J4K6M8NP'] });
export type DeliveryId = z.output<typeof deliveryIdSchema>;

/** Names an event. It is signed between full stops, so it holds none. */
export const eventIdSchema = z.string().regex(/^[A-Za-z0-9-]{1,64}$/);

/**
 * The id of the delivery of an event to an endpoint: a ULID of the event's time whose other 80 bits are a hash of both
 * ids, so that whoever sees the event again comes to the same one.
 *
 * @param occurredAt milliseconds since the epoch, more than 0.
 */
export function deliveryIdOf(webhookId: WebhookId, eventId: string, occurredAt: number): DeliveryId {
  const digest = createHash('sha256').update(`${webhookId} ${eventId}`).digest();
  const characters = digest.values();
  return deliveryIdSchema.parse(ulid(occurredAt, () => ((characters.next().value ?? 0) & 31) / 32));
}
