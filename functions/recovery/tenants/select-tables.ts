import type { Client } from 'pg';
import { PreflightError } from '../errors.ts';
import { inBackup } from '../snapshot/relations.ts';
import { qualifiedName, quoteIdentifier } from '../snapshot/sql.ts';
import { canName, type TenantKey } from './condition.ts';
import type { TenantByKey } from './model.ts';

/** What of a table's rows is copied: every one, those of the tenant, or none. */
export type Selected =
  | { readonly selection: 'all' | 'none' }
  | { readonly selection: 'tenant'; readonly tenantKey: TenantKey };

export interface SelectedTables {
  /** By oid, every table with rows and every partitioned one. */
  readonly tables: ReadonlyMap<number, Selected>;
  /** Tables that the configuration names, and the database does not have. */
  readonly unknown: string[];
}

interface TableRow {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  /** The partitioned tables that it is a part of. */
  readonly above: { schema: string; name: string }[];
  /** Those that may be a key. */
  readonly columns: { name: string; type: string; loose: boolean }[];
}

const tablesSql = `
  WITH RECURSIVE base (type, root) AS (
    SELECT oid, oid FROM pg_catalog.pg_type WHERE typtype <> 'd'
    UNION ALL
    SELECT t.oid, b.root FROM pg_catalog.pg_type t JOIN base b ON t.typtype = 'd' AND t.typbasetype = b.type
  )
  SELECT c.oid, n.nspname AS schema, c.relname AS name,
         coalesce((SELECT json_agg(json_build_object('schema', p.nspname, 'name', a.relname))
                   FROM pg_catalog.pg_partition_ancestors(c.oid) up (oid) JOIN pg_catalog.pg_class a ON a.oid = up.oid
                   JOIN pg_catalog.pg_namespace p ON p.oid = a.relnamespace), '[]') AS above,
         coalesce((SELECT json_agg(json_build_object('name', a.attname, 'loose', NOT coalesce(l.collisdeterministic, true),
                     'type', CASE WHEN r.typnamespace = 'pg_catalog'::pg_catalog.regnamespace THEN r.typname
                                  ELSE pg_catalog.format_type(r.oid, NULL) END))
                   FROM pg_catalog.pg_attribute a JOIN base b ON b.type = a.atttypid
                   JOIN pg_catalog.pg_type r ON r.oid = b.root
                   LEFT JOIN pg_catalog.pg_collation l ON l.oid = a.attcollation
                   WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attname = ANY ($1::text[])),
                  '[]') AS columns
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p') AND ${inBackup} ORDER BY n.nspname, c.relname`;

/** PostgreSQL's types that name tenants, and what they are compared as. */
const keyTypes: ReadonlyMap<string, TenantKey['type']> = new Map([
  ['text', 'text'],
  ['varchar', 'text'],
  ['bpchar', 'bpchar'],
  ['uuid', 'uuid'],
  ['int2', 'int8'],
  ['int4', 'int8'],
  ['int8', 'int8'],
]);

/**
 * Says of every table which rows belong to a tenant. What the configuration says of a partitioned table is said of
 * its partitions.
 *
 * @throws PreflightError naming tables whose key column is missing, or of a type that the tenant's id is no value of.
 */
export async function selectTables(client: Client, tenant: TenantByKey): Promise<SelectedTables> {
  const { column, tables: others, shared } = tenant;
  const names = [...new Set([column, ...Object.values(others)])];
  const { rows } = await client.query<TableRow>(tablesSql, [names]);
  const problems: string[] = [];
  const known = new Set(rows.flatMap(namesOf));
  const tables = new Map(
    rows.map((table): [number, Selected] => {
      const lineage = [table, ...table.above].flatMap(namesOf);
      const named = lineage.find((name) => Object.hasOwn(others, name));
      const wanted = named === undefined ? column : (others[named] ?? column);
      const found = table.columns.find(({ name }) => name === wanted);
      if (found === undefined) {
        if (named !== undefined) problems.push(`${qualifiedName(table)} has no column "${wanted}"`);
        const isShared = lineage.some((name) => shared.includes(name));
        return [table.oid, { selection: isShared ? 'all' : 'none' }];
      }
      if (lineage.some((name) => shared.includes(name))) {
        problems.push(`${qualifiedName(table)} is said to be shared, and has the key column "${wanted}"`);
      }
      const type = keyTypes.get(found.type);
      const where = `"${wanted}" of ${qualifiedName(table)}`;
      if (type === undefined)
        problems.push(`${where} is of type ${found.type}: tenants are not told apart by that`);
      else if (!canName(type, tenant.id))
        problems.push(`${where} is of type ${found.type}, and the id is no value of it`);
      const tenantKey = { column: wanted, type: type ?? 'text', loose: found.loose };
      return [table.oid, { selection: 'tenant', tenantKey }];
    }),
  );
  if (problems.length > 0) {
    const more = problems.length > maxNamed ? `; and ${problems.length - maxNamed} more` : '';
    throw new PreflightError(
      `The tenant’s rows cannot be told apart: ${problems.slice(0, maxNamed).join('; ')}${more}.`,
    );
  }
  return { tables, unknown: [...Object.keys(others), ...shared].filter((name) => !known.has(name)) };
}

const maxNamed = 25;

/** How a configuration may write a table's name: quoted, or as it is where SQL needs no quotes. */
function namesOf({ schema, name }: { schema: string; name: string }): string[] {
  return written(schema).flatMap((one) => written(name).map((other) => `${one}.${other}`));
}

const written = (name: string): string[] => [
  quoteIdentifier(name),
  ...(/^[a-z_][a-z0-9_$]*$/.test(name) ? [name] : []),
];
