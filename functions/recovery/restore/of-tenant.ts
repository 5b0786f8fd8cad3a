import { UnknownTenantError } from '../errors.ts';
import type { ManifestShard } from '../manifest/manifest.ts';
import type { TenantSelection } from '../tenants/model.ts';
import type { ShardPlan } from './events.ts';

/**
 * Keeps plans to the rows of one tenant: to the tables of its schema, or with the key by which rows are told apart while they
 * are loaded. The DDL is of the whole database.
 *
 * @throws UnknownTenantError when no shard has a table of its schema.
 */
export function ofTenant(
  plans: readonly [ManifestShard, ShardPlan][],
  tenant: TenantSelection | undefined,
): [ManifestShard, ShardPlan][] {
  if (tenant === undefined) return [...plans];
  if (tenant.by === 'key') {
    return plans.map(([shard, plan]) => [shard, { ...plan, partial: true, tenant }]);
  }
  const kept = plans.map(([shard, plan]): [ManifestShard, ShardPlan] => {
    const tables = plan.tables.filter(({ schema }) => schema === tenant.schema);
    return [shard, { ...plan, tables, partial: true }];
  });
  if (kept.some(([, { tables }]) => tables.length > 0)) return kept;
  throw new UnknownTenantError('The backup has no table in the schema of the tenant.');
}
