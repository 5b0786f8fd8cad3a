import type { Announcer } from '../../shared/announcer.ts';
import type { InvocationContext, RouteHandlers } from '../../shared/http-handler.ts';
import { decodeToken, encodeToken } from '../../shared/paging.ts';
import { Problem } from '../../shared/problem.ts';
import { type BusEventName, eventSource } from '../bus-events.ts';
import type { tenantRoutes } from './contract.ts';
import { type DeleteTenantDependencies, deleteTenant, noSuchTenant } from './delete-tenant.ts';
import { type Tenant, tenantIdSchema, tenantSchema } from './tenant.ts';

export interface TenantApiDependencies extends DeleteTenantDependencies {
  readonly announcer: Announcer;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

type TenantEvent = Extract<BusEventName, `tenant.${string}`>;

/** The routes of tenants. */
export function tenantHandlers(deps: TenantApiDependencies): RouteHandlers<typeof tenantRoutes> {
  const { tenants, announcer, now } = deps;

  const announce = async (
    context: Pick<InvocationContext, 'trace' | 'log' | 'metrics'>,
    event: TenantEvent,
    { id: tenantId, name, tier, state }: Tenant,
  ) => {
    const { traceparent } = context.trace;
    const at = new Date(now()).toISOString();
    const detail = { version: 1 as const, at, traceparent, tenantId, name, tier, state };
    await announcer.tryAnnounce(context, eventSource, event, detail);
  };

  return {
    createTenant: async ({ body, workId, ...context }) => {
      const at = new Date(now()).toISOString();
      const wanted = tenantSchema.parse({ ...body, state: 'active', createdAt: at, updatedAt: at });
      const tenant = await tenants.create(wanted, workId);
      if (tenant === undefined) {
        throw new Problem('conflict', `There is a tenant with the id ${wanted.id} already.`);
      }
      context.log.info('Tenant created', { tenantId: tenant.id });
      await announce(context, 'tenant.created', tenant);
      return { status: 201, headers: { location: `/api/access/tenants/${tenant.id}` }, body: tenant };
    },

    listTenants: async ({ query }) => {
      const after = decodeToken('tenants', tenantIdSchema, query.nextToken);
      const page = await tenants.list(query.limit, after);
      const nextToken = page.next === undefined ? null : encodeToken('tenants', page.next);
      return { status: 200, body: { tenants: page.tenants, nextToken } };
    },

    getTenant: async ({ params, caller }) => {
      if (caller.tenant !== undefined && caller.tenant !== params.tenantId) throw noSuchTenant();
      const tenant = await tenants.find(params.tenantId);
      if (tenant === undefined) throw noSuchTenant();
      return { status: 200, body: tenant };
    },

    changeTenant: async ({ params, body, ...context }) => {
      const changed = await tenants.change(params.tenantId, body, new Date(now()).toISOString());
      if (changed === undefined) throw noSuchTenant();
      const { before, after } = changed;
      context.log.info('Tenant changed', { tenantId: after.id, state: after.state });
      if (before.name !== after.name || before.tier !== after.tier) {
        await announce(context, 'tenant.changed', after);
      }
      if (before.state !== after.state) {
        await announce(context, after.state === 'active' ? 'tenant.activated' : 'tenant.suspended', after);
      }
      return { status: 200, body: after };
    },

    deleteTenant: async ({ params, ...context }) => {
      const deleted = await deleteTenant(deps, params.tenantId);
      context.log.info('Tenant deleted', { tenantId: deleted.id });
      await announce(context, 'tenant.deleted', deleted);
      return { status: 204 };
    },
  };
}
