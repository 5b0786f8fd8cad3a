import type * as z from 'zod';
import { UnknownTenantError } from '../errors.ts';
import type { Manifest, ManifestShard } from '../manifest/manifest.ts';
import type { leavesOutSchema } from '../model.ts';
import type { Tenant } from './model.ts';

/** What of a shard's manifest says whether it holds anything of a tenant. */
export type TenantShard = Pick<ManifestShard, 'name' | 'tables' | 'tenant'>;

/**
 * Requires that a tenant's backup holds something of the tenant: a backup of a name that was mistyped would look like a good
 * one until it is needed.
 *
 * @throws UnknownTenantError
 */
export function requireTenant({ by }: Tenant, shards: readonly TenantShard[]): void {
  const where = shards.map(({ name }) => name).join(' and ');
  const [first, ...others] = shards.map(({ tenant }) => new Set(tenant?.unknownTables));
  const unknown = [...(first ?? [])].filter((table) => others.every((tables) => tables.has(table)));
  if (unknown.length > 0) {
    throw new UnknownTenantError(
      `The configuration of tenants names ${unknown.join(', ')}, which ${where} does not have.`,
    );
  }
  const rows = shards
    .flatMap(({ tables }) => tables)
    .reduce((sum, table) => sum + (table.selection === 'tenant' ? table.rows : 0), 0);
  const found = by === 'schema' ? shards.some(({ tenant }) => tenant?.found) : rows > 0;
  if (found) return;
  throw new UnknownTenantError(
    by === 'schema' ? `${where} has no schema of the tenant.` : `${where} has no row of the tenant.`,
  );
}

const maxListed = 100;

/** What a restore of a tenant's backup leaves out, of all shards. */
export function leavesOut({ shards }: Manifest): z.output<typeof leavesOutSchema>[] {
  return shards
    .flatMap(({ name, tenant }) => (tenant?.leavesOut ?? []).map((left) => ({ shard: name, ...left })))
    .slice(0, maxListed);
}
