import * as z from 'zod';
import { tierSchema } from '../policy.ts';

/** Names a tenant of the platform; whoever creates it chooses it, and it never changes. */
export const tenantIdSchema = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9-]{0,62}$/,
    'starts with a lower-case letter or a digit and has at most 63 of them and hyphens',
  )
  .brand<'TenantId'>()
  .meta({ title: 'Tenant id', examples: ['acme'] });
export type TenantId = z.output<typeof tenantIdSchema>;

export const tenantStateSchema = z.enum(['active', 'suspended']).meta({
  title: 'State of a tenant',
  description:
    '`suspended`: its keys are refused with 403, within 30 seconds everywhere, and its webhooks are told nothing.',
});

export const tenantNameSchema = z
  .string()
  .trim()
  .min(1)
  .max(200)
  .meta({ description: 'For people to read.', examples: ['Acme Inc.'] });

/** A tenant as the API shows it, and as it is stored. */
export const tenantSchema = z
  .strictObject({
    id: tenantIdSchema,
    name: tenantNameSchema,
    tier: tierSchema.meta({ description: 'The tier of its new keys, where their maker names none.' }),
    state: tenantStateSchema,
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .meta({ title: 'Tenant' });
export type Tenant = z.output<typeof tenantSchema>;
