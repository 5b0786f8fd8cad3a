import type { Client } from 'pg';
import { qualifiedName } from '../../snapshot/sql.ts';
import { tenantCondition } from '../../tenants/condition.ts';
import type { TenantByKey } from '../../tenants/model.ts';
import { selectTables } from '../../tenants/select-tables.ts';
import type { StoredObject } from '../../workflow.ts';
import { workSchema } from './steps.ts';

/** Which rows of an object are loaded: those that meet a condition, every one, or none. */
export type WantedRows = 'all' | 'none' | { readonly condition: string };

/**
 * Says which rows of an object belong to a tenant, by the tables of the database that is restored into.
 *
 * @param tenant absent: all rows are wanted.
 * @throws PreflightError
 */
export async function wantedRows(
  client: Client,
  tenant: TenantByKey | undefined,
): Promise<(object: StoredObject) => WantedRows> {
  if (tenant === undefined) return () => 'all';
  const { tables } = await selectTables(client, tenant);
  const { rows } = await client.query<{ oid: number; schema: string; name: string }>(
    `SELECT c.oid, n.nspname AS schema, c.relname AS name
     FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r'`,
  );
  const byName = new Map(rows.map((table) => [qualifiedName(table), tables.get(table.oid)]));
  return ({ rows: stored }) => {
    const found = stored && byName.get(qualifiedName(stored.range));
    if (found?.selection === 'tenant') return { condition: tenantCondition(found.tenantKey, tenant.id) };
    return found?.selection ?? 'none';
  };
}

/** The end of a COPY that passes over what is not wanted. */
export const whereOf = (wanted: WantedRows): string =>
  typeof wanted === 'object' ? ` WHERE ${wanted.condition}` : '';

const keptStep = ({ key, versionId }: Pick<StoredObject, 'key' | 'versionId'>): string =>
  `kept/${key}/${versionId ?? ''}/`;

/** Notes how many rows of an object were wanted, in the transaction that loads them. */
export async function noteKept(client: Client, object: StoredObject, rows: number): Promise<void> {
  await client.query(`INSERT INTO ${workSchema}.steps (step) VALUES ($1)`, [`${keptStep(object)}${rows}`]);
}

/** Rows of an object that an earlier attempt has loaded. */
export async function readKept(client: Client, object: StoredObject): Promise<number> {
  const { rows } = await client.query<{ step: string }>(
    `SELECT step FROM ${workSchema}.steps WHERE pg_catalog.starts_with(step, $1)`,
    [keptStep(object)],
  );
  return Number(rows[0]?.step.slice(keptStep(object).length) ?? 0);
}
