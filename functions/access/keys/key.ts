import * as z from 'zod';
import { tierSchema } from '../policy.ts';
import { tenantIdSchema } from '../tenants/tenant.ts';
import { keyIdSchema } from './key-id.ts';
import { scopeSchema } from './scope.ts';

const instant = z.iso.datetime();
const otherKey = keyIdSchema.nullable();

export const keyNameSchema = z
  .string()
  .trim()
  .min(1)
  .max(100)
  .meta({ description: 'What the key is for.', examples: ['Deployments from CI'] });

export const keyStateSchema = z.enum(['active', 'expired', 'revoked']).meta({ title: 'State of a key' });
export type KeyState = z.output<typeof keyStateSchema>;

const members = {
  id: keyIdSchema,
  name: keyNameSchema,
  scopes: z.array(scopeSchema),
  tier: tierSchema,
  tenantId: tenantIdSchema.nullable().meta({
    description: 'The only tenant whose data the key sees; null for a key of the platform’s operators.',
  }),
  state: keyStateSchema,
  createdAt: instant,
  createdBy: z
    .string()
    .nullable()
    .meta({ description: 'Id of the key that made it, or `bootstrap`; null where that was not noted.' }),
  validUntil: instant
    .nullable()
    .meta({ description: 'It is refused from then on; null: it does not expire.' }),
  revokedAt: instant.nullable(),
  replaces: otherKey.meta({ description: 'The key that was rerolled to make this one.' }),
  replacedBy: otherKey.meta({ description: 'The key that this one was rerolled to.' }),
  lastUsedAt: instant.nullable().meta({
    description:
      'When a request with this key was last let in, about 5 minutes behind at most; null: not in the last 400 days.',
  }),
};

/** An API key as lists show it: everything but the key. */
export const keySchema = z.strictObject(members).meta({ title: 'API key' });
export type Key = z.output<typeof keySchema>;

/** An API key as its maker sees it. */
export const newKeySchema = z
  .strictObject({
    ...members,
    key: z.string().nullable().meta({
      description:
        'The key itself, shown this once: it is kept nowhere. Null where the request was repeated with its `Idempotency-Key`: if the first answer is lost, revoke the key and make another.',
    }),
  })
  .meta({ title: 'New API key' });
