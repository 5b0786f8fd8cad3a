import * as z from 'zod';
import type { FunctionContract } from '../../shared/contract.ts';
import { gateEnvironment } from '../environment.ts';
import { deliveryRoutes } from './delivery-routes.ts';
import { endpointRoutes } from './endpoint-routes.ts';
import { dispatchEventSchema } from './events.ts';
import { WEBHOOK_PRIVATE_NETWORKS } from './networks.ts';
import { attemptResultSchema, deliverEventSchema } from './workflow.ts';

/** The routes of webhooks. */
export const webhookRoutes = { ...endpointRoutes, ...deliveryRoutes };

const arn = z.string().startsWith('arn:');
const name = z.string().min(1);
const ACCESS_TABLE = name.describe('Tenants, of which it is asked whether they are active.');
const WEBHOOKS_TABLE = name.describe('Webhook endpoints and their deliveries.');
const ENCRYPTION_KEY_ARN = arn.describe('KMS key that seals the secrets of endpoints.');
const EVENT_BUS_NAME = name.describe('The platform’s event bus.');
const WEBHOOK_STATE_MACHINE_ARN = arn.describe('Delivers one event to one endpoint.');

/** What the function that serves `webhookRoutes` is given. */
export const webhookApiEnvironment = {
  WEBHOOKS_TABLE,
  ENCRYPTION_KEY_ARN,
  WEBHOOK_STATE_MACHINE_ARN,
  WEBHOOK_PRIVATE_NETWORKS,
};

/** The functions of webhooks. */
export const webhookFunctions = {
  /** Finds out who is to be told of an event, and starts a delivery for each. */
  'dispatch-webhooks': {
    environment: z.object({ ACCESS_TABLE, WEBHOOKS_TABLE, WEBHOOK_STATE_MACHINE_ARN, EVENT_BUS_NAME }),
    event: dispatchEventSchema,
  },
  /** Makes one attempt of a delivery; ends deliveries whose execution did not end well. */
  'deliver-webhook': {
    environment: z.object({
      ACCESS_TABLE,
      WEBHOOKS_TABLE,
      ENCRYPTION_KEY_ARN,
      EVENT_BUS_NAME,
      AUDIT_TABLE: gateEnvironment.shape.AUDIT_TABLE,
      AUDIT_DAYS: gateEnvironment.shape.AUDIT_DAYS,
      WEBHOOK_PRIVATE_NETWORKS,
      WEBHOOK_DISABLE_AFTER_DAYS: z.coerce
        .number()
        .int()
        .min(1)
        .max(30)
        .describe('An endpoint that has answered nothing well for so long is disabled.'),
    }),
    event: deliverEventSchema,
    result: attemptResultSchema,
  },
} as const satisfies Record<string, FunctionContract>;
