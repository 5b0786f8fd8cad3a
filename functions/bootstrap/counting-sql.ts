/**
 * Functions that count what a table has by slot and by tenant. They belong to a role that may read every table and that nobody
 * logs in as; whoever calls them gets numbers and the ids of tenants. Policies that would hide rows are an error.
 *
 * A row's width is that of its values as they are stored: large ones that lie outside of the row are not fetched.
 */
export const countingSql = `CREATE OR REPLACE FUNCTION mainstay.count_slots(
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
  RETURN QUERY EXECUTE format(
    'SELECT left(t.%I::text, 200), count(*) FROM %s AS t%s WHERE t.%I IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT %s',
    tenant, relation,
    CASE WHEN percent < 100 THEN format(' TABLESAMPLE SYSTEM (%s) REPEATABLE (%s)', percent, seed) ELSE '' END,
    tenant, least(most, 100));
END
$function$;

REVOKE ALL ON FUNCTION mainstay.count_slots, mainstay.count_tenants FROM PUBLIC;
ALTER FUNCTION mainstay.count_slots OWNER TO mainstay_counter;
ALTER FUNCTION mainstay.count_tenants OWNER TO mainstay_counter;
GRANT EXECUTE ON FUNCTION mainstay.count_slots, mainstay.count_tenants TO mainstay_stats;`;
