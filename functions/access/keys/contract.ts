import * as z from 'zod';
import type { RouteContract } from '../../shared/contract.ts';
import { pageQuery } from '../../shared/paging.ts';
import { tierSchema } from '../policy.ts';
import { tenantIdSchema } from '../tenants/tenant.ts';
import { keyNameSchema, keySchema, keyStateSchema, newKeySchema } from './key.ts';
import { keyIdSchema } from './key-id.ts';
import { scopeSchema } from './scope.ts';

const params = z.strictObject({ keyId: keyIdSchema });
const notFound = { description: 'No such key.' };
const created = {
  description: 'Made. The answer holds the key; nothing shows it again.',
  schema: newKeySchema,
  headers: { Location: 'Where the key is described.' },
};
const shown = { description: 'The key.', schema: keySchema };
const scopes = z
  .array(scopeSchema)
  .min(1)
  .max(scopeSchema.options.length)
  .refine((values) => new Set(values).size === values.length, 'names a scope twice')
  .meta({ description: 'What the key may be used for.', examples: [['recovery:read', 'monitoring:read']] });
const validUntil = z.iso.datetime();

const createBody = z
  .strictObject({
    name: keyNameSchema,
    scopes,
    tier: tierSchema.optional().meta({
      description: 'How many requests per minute it has. Default: the tier of its tenant, or else `free`.',
    }),
    tenantId: tenantIdSchema.optional().meta({
      description: 'The only tenant whose data it sees. Default: a key of the platform’s operators.',
    }),
    validUntil: validUntil
      .optional()
      .meta({ description: 'It is refused from then on; in the future. Default: it does not expire.' }),
  })
  .meta({ title: 'API key to make' });

const changeBody = z
  .strictObject({
    name: keyNameSchema.optional(),
    tier: tierSchema.optional(),
    scopes: scopes.optional().meta({
      description:
        'All of its scopes from now on. `admin` can be taken away, and is given only when a key is made.',
    }),
  })
  .refine((body) => Object.keys(body).length > 0, 'names nothing to change')
  .meta({ title: 'Change of an API key' });

const rerollBody = z
  .strictObject({
    overlapHours: z
      .number()
      .min(0)
      .max(168)
      .default(24)
      .meta({ description: 'How long the old key stays valid, in hours; 0 ends it at once.' }),
    validUntil: validUntil
      .optional()
      .meta({ description: 'When the new key ends. Default: when the old one would have.' }),
  })
  .meta({ title: 'Reroll of an API key' });

/** The routes of API keys. A change takes effect within 30 seconds everywhere. */
export const keyRoutes = {
  createKey: {
    method: 'POST',
    path: '/api/access/keys',
    scope: 'admin',
    summary: 'Make an API key',
    body: createBody,
    once: { secrets: ['key'] },
    responses: {
      201: created,
      409: { description: 'The tenant has 200 keys that are not revoked.' },
      422: {
        description:
          'There is no such tenant, or it is suspended; a tenant’s key with `admin`; an end that is past.',
      },
    },
  },
  listKeys: {
    method: 'GET',
    path: '/api/access/keys',
    scope: 'admin',
    summary: 'List API keys, newest first',
    description:
      'A new key is listed after a moment. A page may have fewer keys than `limit` and not be the last.',
    query: z.strictObject({
      ...pageQuery,
      tenantId: tenantIdSchema.optional().describe('Only keys of this tenant.'),
      state: keyStateSchema.optional().describe('Only keys in this state.'),
    }),
    responses: {
      200: {
        description: 'One page.',
        schema: z
          .strictObject({ keys: z.array(keySchema), nextToken: z.string().nullable() })
          .meta({ title: 'Page of API keys' }),
      },
    },
  },
  getKey: {
    method: 'GET',
    path: '/api/access/keys/{keyId}',
    scope: 'admin',
    summary: 'One API key',
    params,
    responses: { 200: shown, 404: notFound },
  },
  changeKey: {
    method: 'PATCH',
    path: '/api/access/keys/{keyId}',
    scope: 'admin',
    summary: 'Change the name, the tier or the scopes of an API key',
    params,
    body: changeBody,
    responses: {
      200: shown,
      404: notFound,
      409: { description: 'It has been revoked, or is the last admin key and would lose `admin`.' },
      422: { description: 'It would get `admin`.' },
    },
  },
  revokeKey: {
    method: 'DELETE',
    path: '/api/access/keys/{keyId}',
    scope: 'admin',
    summary: 'Revoke an API key',
    description:
      'For good. It is refused within 30 seconds everywhere, and stays listed. Twice is the same as once.',
    params,
    responses: {
      200: shown,
      404: notFound,
      409: { description: 'It is the last admin key that does not expire: make another one first.' },
    },
  },
  rerollKey: {
    method: 'POST',
    path: '/api/access/keys/{keyId}/reroll',
    scope: 'admin',
    summary: 'Replace an API key by a new one',
    description:
      'The new key has the same name, scopes, tier and tenant. The old one ends after the overlap, or earlier if it would have anyway.',
    params,
    body: rerollBody,
    once: { secrets: ['key'] },
    responses: {
      201: created,
      404: notFound,
      409: {
        description:
          'It is revoked, expired or rerolled already, the last admin key would be replaced by one that expires, or the tenant has 200 keys.',
      },
      422: { description: 'Its tenant is suspended, or the end is past.' },
    },
  },
  getSelf: {
    method: 'GET',
    path: '/api/access/self',
    scope: 'any',
    tenants: true,
    summary: 'The API key of this request',
    responses: {
      200: {
        description: 'The key, as it was at most 30 seconds ago.',
        schema: z
          .strictObject({
            keyId: keyIdSchema,
            name: z.string(),
            scopes: z.array(scopeSchema),
            tier: tierSchema,
            tenantId: tenantIdSchema.nullable(),
          })
          .meta({ title: 'Caller' }),
      },
    },
  },
} as const satisfies Record<string, RouteContract>;
