import type { Client } from 'pg';
import type { ShardDescription } from '../chunks/describe-shard.ts';
import { readMissingRows } from './missing-rows.ts';
import type { TenantSelection } from './model.ts';
import { readOneSchema } from './one-schema.ts';
import { selectTables } from './select-tables.ts';

/**
 * Adds to the description of a shard what of it is the tenant's, inside the snapshot's transaction.
 *
 * @throws PreflightError
 */
export async function describeTenant(
  client: Client,
  shard: ShardDescription,
  tenant: TenantSelection,
): Promise<ShardDescription> {
  const { id, by } = tenant;
  if (tenant.by === 'schema') {
    const { schema } = tenant;
    const { found, extensions, leavesOut, roles } = await readOneSchema(client, schema);
    return {
      ...shard,
      extensions: shard.extensions.filter(({ name }) => extensions.includes(name)),
      roles,
      tables: shard.tables.map((table) => ({ ...table, selection: 'all' })),
      tenant: { id, by, schema, found, unknownTables: [], leavesOut },
    };
  }
  const { tables, unknown } = await selectTables(client, tenant);
  return {
    ...shard,
    tables: shard.tables.map((table) => ({ ...table, ...(tables.get(table.oid) ?? { selection: 'none' }) })),
    tenant: {
      ...{ id, by, unknownTables: unknown },
      found: [...tables.values()].some(({ selection }) => selection === 'tenant'),
      leavesOut: await readMissingRows(client, tables),
    },
  };
}
