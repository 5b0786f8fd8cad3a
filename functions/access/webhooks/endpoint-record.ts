import * as z from 'zod';
import { tenantIdSchema } from '../tenants/tenant.ts';
import { deliveryIdSchema, webhookIdSchema } from './ids.ts';
import { disabledSchema, type Webhook, webhookStateSchema } from './model.ts';

const time = z.iso.datetime();

/** An endpoint as it is stored. Its secrets are sealed: see `SecretBox`. */
export const endpointRecordSchema = z.object({
  id: webhookIdSchema,
  tenantId: tenantIdSchema.nullable(),
  url: z.string(),
  description: z.string(),
  events: z.array(z.string()),
  state: webhookStateSchema,
  disabled: disabledSchema.optional(),
  /** The delivery that disabled it. */
  disabledBy: deliveryIdSchema.optional(),
  failingSince: time.optional(),
  createdAt: time,
  secret: z.string(),
  previousSecret: z.string().optional(),
  previousUntil: time.optional(),
  /** Work id of the request that rotated the secret last. */
  rotatedFor: z.ulid().optional(),
});
export type EndpointRecord = z.output<typeof endpointRecordSchema>;

/** A new secret of an endpoint. */
export interface Rotation {
  /** Sealed. */
  readonly secret: string;
  /** Of the request that asks for it. */
  readonly workId: string;
  /** Until when the present secret signs as well; `undefined`: it ends now. */
  readonly previousUntil: string | undefined;
}

/** Whether the previous secret still signs. */
export const hasPrevious = ({ previousUntil }: EndpointRecord, now: number): boolean =>
  previousUntil !== undefined && Date.parse(previousUntil) > now;

/** How an endpoint is shown. */
export function toWebhook(record: EndpointRecord, now: number): Webhook {
  const { id, tenantId, url, description, events, state, createdAt } = record;
  return {
    id,
    tenantId,
    url,
    description,
    events,
    state,
    disabled: record.disabled ?? null,
    failingSince: record.failingSince ?? null,
    previousSecretUntil: hasPrevious(record, now) ? (record.previousUntil ?? null) : null,
    createdAt,
  };
}
