import type { CountedTable } from './contract.ts';

/**
 * Functions that count what a table has by slot and by tenant. They belong to a role that may read every table and that nobody
 * logs in as; whoever calls them gets numbers and the ids of tenants. Policies that would hide rows are an error.
 *
 * They count what `mainstay.counted` names, by the columns that it names, and refuse everything else: frequent values of any
 * column are not for whoever may see statistics. Only whoever owns the schema writes that table.
 *
 * A row's width is that of its values as they are stored: large ones that lie outside of the row are not fetched.
 */
export const countingSql = `CREATE TABLE IF NOT EXISTS mainstay.counted (
  schema_name name,
  table_name name,
  key_column name,
  tenant_column name,
  PRIMARY KEY (schema_name, table_name, key_column)
);

-- Raises an error unless a table may be counted by these columns. Views are refused: their owner's functions would run with the
-- rights of the role that counts. So would a cast to text; nobody but a superuser makes one of a superuser's type.
CREATE OR REPLACE FUNCTION mainstay.refuse_uncounted(relation regclass, key name, tenant name) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $function$
DECLARE
  foreign_type text;
BEGIN
  IF NOT EXISTS (
    SELECT FROM pg_class c
      JOIN pg_namespace n ON n.oid = c.relnamespace
      JOIN mainstay.counted k ON k.schema_name = n.nspname AND k.table_name = c.relname
     WHERE c.oid = relation AND c.relkind IN ('r', 'p', 'm')
       AND (key IS NULL OR k.key_column = key) AND (tenant IS NULL OR k.tenant_column = tenant)
  ) THEN
    RAISE insufficient_privilege USING MESSAGE = format(
      '%s is not counted by %s: the deployment that prepared this database does not name it so',
      relation, concat_ws(' and ', key, tenant));
  END IF;
  WITH RECURSIVE types AS (
    SELECT t.* FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
     WHERE a.attrelid = relation AND a.attname IN (key, tenant)
    UNION ALL
    SELECT t.* FROM types d JOIN pg_type t ON t.oid = d.typbasetype
  )
  SELECT format_type(t.oid, NULL) INTO foreign_type
    FROM types t JOIN pg_roles r ON r.oid = t.typowner
   WHERE t.typbasetype = 0 AND NOT r.rolsuper LIMIT 1;
  IF foreign_type IS NOT NULL THEN
    RAISE insufficient_privilege USING MESSAGE = format(
      '%s is not counted by a column of the type %s, which is not of the server or an extension', relation, foreign_type);
  END IF;
END
$function$;

CREATE OR REPLACE FUNCTION mainstay.count_slots(
  relation regclass, key name, hash text, slots integer, tenant name, pinned text[], percent double precision, seed integer
) RETURNS TABLE (slot integer, pinned_tenant text, n bigint, width bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET row_security = off AS $function$
DECLARE
  widths text;
  sample text := '';
  owner_of_row text := 'NULL::text';
BEGIN
  IF hash NOT IN ('hashtextextended', 'uuid_hash_extended', 'hashint4extended', 'hashint8extended', 'hashbyteaextended') THEN
    RAISE invalid_parameter_value USING MESSAGE = format('%s is no hash that slots are made by', hash);
  END IF;
  IF slots NOT BETWEEN 1 AND 65536 THEN
    RAISE invalid_parameter_value USING MESSAGE = format('there are no maps of %s slots', slots);
  END IF;
  PERFORM mainstay.refuse_uncounted(relation, key, tenant);
  SELECT concat_ws(' + ', 28 + coalesce(sum(attlen) FILTER (WHERE attlen > 0), 0),
           string_agg(format('coalesce(pg_column_size(t.%I), 0)', attname), ' + ') FILTER (WHERE attlen < 0))
    INTO widths
    FROM pg_attribute
   WHERE attrelid = relation AND attnum > 0 AND NOT attisdropped AND attgenerated <> 'v';
  IF percent < 100 THEN
    sample := format(' TABLESAMPLE SYSTEM (%s) REPEATABLE (%s)', percent, seed);
  END IF;
  IF tenant IS NOT NULL AND cardinality(pinned) > 0 THEN
    owner_of_row := format('CASE WHEN t.%I::text = ANY ($1) THEN t.%I::text END', tenant, tenant);
  END IF;
  RETURN QUERY EXECUTE format(
    'SELECT (%s(t.%I, 0) & %s)::integer, %s, count(*), sum(%s)::bigint FROM %s AS t%s WHERE t.%I IS NOT NULL GROUP BY 1, 2',
    hash, key, slots - 1, owner_of_row, widths, relation, sample, key) USING pinned;
END
$function$;

CREATE OR REPLACE FUNCTION mainstay.count_tenants(
  relation regclass, tenant name, percent double precision, seed integer, most integer
) RETURNS TABLE (tenant_id text, n bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET row_security = off AS $function$
BEGIN
  PERFORM mainstay.refuse_uncounted(relation, NULL, tenant);
  RETURN QUERY EXECUTE format(
    'SELECT left(t.%I::text, 200), count(*) FROM %s AS t%s WHERE t.%I IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT %s',
    tenant, relation,
    CASE WHEN percent < 100 THEN format(' TABLESAMPLE SYSTEM (%s) REPEATABLE (%s)', percent, seed) ELSE '' END,
    tenant, least(most, 100));
END
$function$;

REVOKE ALL ON FUNCTION mainstay.refuse_uncounted, mainstay.count_slots, mainstay.count_tenants FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mainstay.refuse_uncounted TO mainstay_counter;
ALTER FUNCTION mainstay.count_slots OWNER TO mainstay_counter;
ALTER FUNCTION mainstay.count_tenants OWNER TO mainstay_counter;
GRANT EXECUTE ON FUNCTION mainstay.count_slots, mainstay.count_tenants TO mainstay_stats;`;

/** Names the tables that may be counted, in place of those that were named before. */
export function countedSql(tables: readonly CountedTable[]): string {
  const rows = JSON.stringify(
    tables.map(({ schema, table, key, tenant }) => ({
      ...{ schema_name: schema, table_name: table, key_column: key, tenant_column: tenant },
    })),
  );
  return `DELETE FROM mainstay.counted;
INSERT INTO mainstay.counted
SELECT * FROM pg_catalog.jsonb_to_recordset('${rows.replaceAll("'", "''")}')
  AS t (schema_name name, table_name name, key_column name, tenant_column name)
ON CONFLICT DO NOTHING;`;
}
