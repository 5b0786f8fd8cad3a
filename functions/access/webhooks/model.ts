import * as z from 'zod';
import { tenantIdSchema } from '../tenants/tenant.ts';
import { filterSchema } from './filters.ts';
import { deliveryIdSchema, webhookIdSchema } from './ids.ts';

const time = z.iso.datetime();
const count = z.int().min(0);

/** Endpoints that one tenant, or the platform itself, can have. */
export const maximumEndpoints = 50;

export const webhookStateSchema = z.enum(['enabled', 'disabled']);

/** Why an endpoint is told nothing any more. */
export const disabledSchema = z
  .strictObject({
    code: z.enum(['manual', 'gone', 'failing']).meta({
      description:
        '`manual`: through the API. `gone`: it answered 410. `failing`: nothing went well for too long.',
    }),
    message: z.string(),
    at: time,
  })
  .meta({ title: 'Why a webhook is disabled' });
export type Disabled = z.output<typeof disabledSchema>;

/** A webhook as the API shows it. */
const webhook = {
  id: webhookIdSchema,
  tenantId: tenantIdSchema.nullable().meta({
    description: 'It is told only of events of this tenant, while it is active; `null`: of all events.',
  }),
  url: z.string(),
  description: z.string(),
  events: z.array(filterSchema),
  state: webhookStateSchema,
  disabled: disabledSchema.nullable(),
  failingSince: time
    .nullable()
    .meta({ description: 'When the first attempt failed since one last went well.' }),
  previousSecretUntil: time.nullable().meta({ description: 'Until then the previous secret signs as well.' }),
  createdAt: time,
};
export const webhookSchema = z.strictObject(webhook).meta({ title: 'Webhook' });
export type Webhook = z.output<typeof webhookSchema>;
export const webhookWithSecretSchema = z
  .strictObject({
    ...webhook,
    secret: z
      .string()
      .nullable()
      .meta({ description: 'Shown once; `null` when a request is repeated.', examples: ['whsec_…'] }),
  })
  .meta({ title: 'Webhook with its secret' });

export const deliveryStateSchema = z
  .enum(['queued', 'running', 'completed', 'failed', 'canceled'])
  .meta({ title: 'State of a delivery' });
export type DeliveryState = z.output<typeof deliveryStateSchema>;

const failure = z.strictObject({ code: z.string(), message: z.string() });

/** One request to an endpoint, and what became of it. */
export const attemptSchema = z
  .strictObject({
    run: z.int().min(1).meta({ description: '1 at first, one more with each replay.' }),
    number: z.int().min(1).meta({ description: 'Within its run.' }),
    at: time,
    durationMs: count,
    status: z.int().nullable(),
    answer: z
      .string()
      .nullable()
      .meta({ description: 'The first visible characters of what the endpoint answered.' }),
    error: failure.nullable().meta({ description: 'Why there was no answer.' }),
    nextAttemptAt: time.nullable(),
  })
  .meta({ title: 'Attempt of a delivery' });
export type Attempt = z.output<typeof attemptSchema>;

const delivery = {
  id: deliveryIdSchema,
  webhookId: webhookIdSchema,
  messageId: z.string().meta({ description: 'The header `webhook-id`: the same for every endpoint.' }),
  type: z.string(),
  state: deliveryStateSchema,
  progress: z.strictObject({ attempts: count, attemptsAtMost: count }),
  occurredAt: time,
  createdAt: time,
  nextAttemptAt: time.nullable(),
  finishedAt: time.nullable(),
  error: failure.nullable(),
};
export const deliverySummarySchema = z.strictObject(delivery).meta({ title: 'Delivery in a list' });
export type DeliverySummary = z.output<typeof deliverySummarySchema>;
export const deliverySchema = z
  .strictObject({
    ...delivery,
    attempts: z.array(attemptSchema).meta({ description: 'All of them, in order.' }),
    body: z.string().meta({ description: 'What is sent, exactly.' }),
  })
  .meta({ title: 'Delivery' });
export type Delivery = z.output<typeof deliverySchema>;
