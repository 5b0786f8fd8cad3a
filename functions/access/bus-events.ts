import * as z from 'zod';
import { traceparentSchema } from '../shared/traceparent.ts';
import { keyIdSchema } from './keys/key-id.ts';
import { scopeSchema } from './keys/scope.ts';
import { tierSchema } from './policy.ts';
import { tenantIdSchema, tenantStateSchema } from './tenants/tenant.ts';
import { webhookEvents } from './webhooks/events.ts';

/** The `source` of the access capability's events on the platform's bus. */
export const eventSource = 'mainstay.access';

const common = {
  version: z.literal(1).meta({ description: 'Changes when a field changes its meaning or is removed.' }),
  at: z.iso.datetime(),
  traceparent: traceparentSchema,
};

const key = {
  ...common,
  keyId: keyIdSchema,
  name: z.string(),
  scopes: z.array(scopeSchema),
  tier: tierSchema,
  tenantId: tenantIdSchema.optional().meta({ description: 'Absent for keys of the platform’s operators.' }),
  validUntil: z.iso.datetime().optional(),
};
const tenant = {
  ...common,
  tenantId: tenantIdSchema,
  name: z.string(),
  tier: tierSchema,
  state: tenantStateSchema,
};

/** What the capability tells the platform, by `detail-type`. No event holds a key or a hash of one. */
export const busEvents = {
  'key.created': z.strictObject(key),
  'key.changed': z.strictObject(key),
  /** `keyId` is the old key, which ends at `validUntil`. */
  'key.rerolled': z.strictObject({ ...key, replacedBy: keyIdSchema }),
  'key.revoked': z.strictObject(key),
  'tenant.created': z.strictObject(tenant),
  'tenant.changed': z.strictObject(tenant),
  'tenant.suspended': z.strictObject(tenant),
  'tenant.activated': z.strictObject(tenant),
  'tenant.deleted': z.strictObject(tenant),
  ...webhookEvents,
};
export type BusEventName = keyof typeof busEvents;
export type BusEvent<N extends BusEventName> = z.output<(typeof busEvents)[N]>;
