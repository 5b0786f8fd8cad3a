import type pg from 'pg';

/** Everything but rows that makes a database what it is, one line each. */
export async function definitionsIn(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ line: string }>(`
    WITH mine AS (
      SELECT c.oid::regclass::text AS name, c.* FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema')
    SELECT concat_ws(' ', relkind, name, pg_get_userbyid(relowner), relacl, relrowsecurity, relforcerowsecurity) AS line
    FROM mine UNION ALL
    SELECT concat_ws(' ', 'column', name, attnum - (SELECT count(*) FROM pg_attribute d
             WHERE d.attrelid = a.attrelid AND d.attisdropped AND d.attnum < a.attnum), attname,
             format_type(atttypid, atttypmod), attnotnull, attidentity, attgenerated, pg_get_expr(adbin, adrelid))
    FROM mine JOIN pg_attribute a ON attrelid = mine.oid AND attnum > 0 AND NOT attisdropped
      LEFT JOIN pg_attrdef ON adrelid = mine.oid AND adnum = attnum UNION ALL
    SELECT concat_ws(' ', 'constraint', name, conname, pg_get_constraintdef(c.oid)) FROM mine JOIN pg_constraint c ON conrelid = mine.oid UNION ALL
    SELECT concat_ws(' ', 'index', pg_get_indexdef(indexrelid)) FROM mine JOIN pg_index ON indrelid = mine.oid UNION ALL
    SELECT concat_ws(' ', 'trigger', pg_get_triggerdef(t.oid)) FROM mine JOIN pg_trigger t ON tgrelid = mine.oid AND NOT tgisinternal UNION ALL
    SELECT concat_ws(' ', 'policy', name, polname, pg_get_expr(polqual, polrelid)) FROM mine JOIN pg_policy ON polrelid = mine.oid UNION ALL
    SELECT concat_ws(' ', 'view', name, pg_get_viewdef(oid)) FROM mine WHERE relkind IN ('v', 'm') UNION ALL
    SELECT concat_ws(' ', 'function', p.oid::regprocedure, pg_get_userbyid(proowner), proacl, md5(prosrc))
    FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    ORDER BY 1`);
  return rows.map(({ line }) => line);
}

/** Every sequence with its value. */
export async function sequencesIn(client: pg.Client): Promise<unknown[]> {
  const { rows } = await client.query(
    'SELECT schemaname, sequencename, last_value, increment_by, cache_size FROM pg_sequences ORDER BY 1, 2',
  );
  return rows;
}
