import * as z from 'zod';
import type { RouteContract } from '../../shared/contract.ts';
import { pageQuery } from '../../shared/paging.ts';
import { tierSchema } from '../policy.ts';
import { tenantIdSchema, tenantNameSchema, tenantSchema, tenantStateSchema } from './tenant.ts';

const params = z.strictObject({ tenantId: tenantIdSchema });
const shown = { description: 'The tenant.', schema: tenantSchema };
const notFound = { description: 'No such tenant.' };

const createBody = z
  .strictObject({
    id: tenantIdSchema.meta({ description: 'Chosen by the caller, and never changed.' }),
    name: tenantNameSchema,
    tier: tierSchema
      .default('free')
      .meta({ description: 'The tier of its new keys, where their maker names none.' }),
  })
  .meta({ title: 'Tenant to create' });

const changeBody = z
  .strictObject({
    name: tenantNameSchema.optional(),
    tier: tierSchema.optional().meta({ description: 'For its keys made from now on; others keep theirs.' }),
    state: tenantStateSchema.optional(),
  })
  .refine((body) => Object.keys(body).length > 0, 'names nothing to change')
  .meta({ title: 'Change of a tenant' });

/** The routes of tenants. */
export const tenantRoutes = {
  createTenant: {
    method: 'POST',
    path: '/api/access/tenants',
    scope: 'admin',
    summary: 'Create a tenant',
    body: createBody,
    once: {},
    responses: {
      201: { ...shown, headers: { Location: 'Where the tenant is described.' } },
      409: { description: 'There is a tenant with this id.' },
    },
  },
  listTenants: {
    method: 'GET',
    path: '/api/access/tenants',
    scope: 'admin',
    summary: 'List tenants, by id',
    description: 'A new tenant is listed after a moment.',
    query: z.strictObject(pageQuery),
    responses: {
      200: {
        description: 'One page.',
        schema: z
          .strictObject({ tenants: z.array(tenantSchema), nextToken: z.string().nullable() })
          .meta({ title: 'Page of tenants' }),
      },
    },
  },
  getTenant: {
    method: 'GET',
    path: '/api/access/tenants/{tenantId}',
    scope: 'access:read',
    tenants: true,
    summary: 'One tenant',
    description: 'The key of a tenant finds that tenant alone.',
    params,
    responses: { 200: shown, 404: notFound },
  },
  changeTenant: {
    method: 'PATCH',
    path: '/api/access/tenants/{tenantId}',
    scope: 'admin',
    summary: 'Change, suspend or activate a tenant',
    description: 'The keys of a suspended tenant are refused with 403, within 30 seconds everywhere.',
    params,
    body: changeBody,
    responses: { 200: shown, 404: notFound },
  },
  deleteTenant: {
    method: 'DELETE',
    path: '/api/access/tenants/{tenantId}',
    scope: 'admin',
    summary: 'Delete a tenant',
    description: 'Its id may be used again afterwards. Keys that it had stay revoked.',
    params,
    responses: {
      204: { description: 'Deleted.' },
      404: notFound,
      409: {
        description: 'It has keys that are not revoked, or something else that has to be removed first.',
      },
    },
  },
} as const satisfies Record<string, RouteContract>;
