import type { Client } from 'pg';
import { PreflightError } from '../errors.ts';
import { quoteLiteral } from '../snapshot/sql.ts';

/** Something of a tenant that refers to what its backup does not hold: a restore leaves it out. */
export interface Beyond {
  /** As PostgreSQL describes it. */
  readonly object: string;
  readonly reason: string;
}

/** What there is to know of a schema that is backed up by itself. */
export interface OneSchema {
  /** Whether the database has it. */
  readonly found: boolean;
  /** The extensions that it needs. */
  readonly extensions: string[];
  /** At most 1 000. */
  readonly leavesOut: Beyond[];
  /** Roles that own something in it or were granted something. */
  readonly roles: string[];
}

/** Findings that are kept. */
export const maxBeyond = 1_000;

/**
 * What is in the schema, and what that depends on. Of an array the type of its elements counts, of a table's row type the
 * table.
 */
const usesSql = (schema: string): string => `
  WITH own (namespace) AS (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = ${quoteLiteral(schema)}),
  relations (oid) AS (SELECT c.oid FROM pg_catalog.pg_class c JOIN own ON c.relnamespace = namespace),
  objects (classid, objid, essential) AS (
    SELECT 'pg_catalog.pg_class'::regclass, c.oid, c.relkind IN ('r', 'p', 'c')
      FROM pg_catalog.pg_class c JOIN own ON c.relnamespace = namespace
    UNION ALL SELECT 'pg_catalog.pg_attrdef'::regclass, d.oid, true
      FROM pg_catalog.pg_attrdef d JOIN relations r ON r.oid = d.adrelid
    UNION ALL SELECT 'pg_catalog.pg_constraint'::regclass, o.oid, o.contype = 'c'
      FROM pg_catalog.pg_constraint o JOIN own ON o.connamespace = namespace
    UNION ALL SELECT 'pg_catalog.pg_type'::regclass, t.oid, true
      FROM pg_catalog.pg_type t JOIN own ON t.typnamespace = namespace
    UNION ALL SELECT 'pg_catalog.pg_proc'::regclass, p.oid, false
      FROM pg_catalog.pg_proc p JOIN own ON p.pronamespace = namespace
    UNION ALL SELECT 'pg_catalog.pg_operator'::regclass, o.oid, false
      FROM pg_catalog.pg_operator o JOIN own ON o.oprnamespace = namespace
    UNION ALL SELECT 'pg_catalog.pg_rewrite'::regclass, w.oid, false
      FROM pg_catalog.pg_rewrite w JOIN relations r ON r.oid = w.ev_class
    UNION ALL SELECT 'pg_catalog.pg_trigger'::regclass, g.oid, false
      FROM pg_catalog.pg_trigger g JOIN relations r ON r.oid = g.tgrelid WHERE NOT g.tgisinternal
    UNION ALL SELECT 'pg_catalog.pg_policy'::regclass, p.oid, false
      FROM pg_catalog.pg_policy p JOIN relations r ON r.oid = p.polrelid
  ),
  uses (classid, objid, essential, refclassid, refobjid) AS (
    SELECT o.classid, o.objid, o.essential,
           CASE WHEN t.typrelid <> 0 THEN 'pg_catalog.pg_class'::regclass ELSE d.refclassid END,
           CASE WHEN t.typrelid <> 0 THEN t.typrelid
                WHEN t.typelem <> 0 AND t.typsubscript = 'pg_catalog.array_subscript_handler'::pg_catalog.regproc
                THEN t.typelem ELSE d.refobjid END
    FROM objects o JOIN pg_catalog.pg_depend d ON d.classid = o.classid AND d.objid = o.objid
    LEFT JOIN pg_catalog.pg_type t ON d.refclassid = 'pg_catalog.pg_type'::regclass AND t.oid = d.refobjid
  )`;

/** Outside: in another schema that is not the server's, and no extension's. */
const beyondSql = `
  SELECT pg_catalog.pg_describe_object(u.classid, u.objid, 0) AS object,
         string_agg(DISTINCT pg_catalog.pg_describe_object(u.refclassid, u.refobjid, 0), ', ') AS needs, u.essential
  FROM uses u JOIN LATERAL (
    SELECT relnamespace FROM pg_catalog.pg_class WHERE u.refclassid = 'pg_catalog.pg_class'::regclass AND oid = u.refobjid
      AND relkind NOT IN ('i', 'I')
    UNION ALL
    SELECT typnamespace FROM pg_catalog.pg_type WHERE u.refclassid = 'pg_catalog.pg_type'::regclass AND oid = u.refobjid
    UNION ALL
    SELECT pronamespace FROM pg_catalog.pg_proc WHERE u.refclassid = 'pg_catalog.pg_proc'::regclass AND oid = u.refobjid
    UNION ALL
    SELECT oprnamespace FROM pg_catalog.pg_operator WHERE u.refclassid = 'pg_catalog.pg_operator'::regclass AND oid = u.refobjid
    UNION ALL
    SELECT collnamespace FROM pg_catalog.pg_collation WHERE u.refclassid = 'pg_catalog.pg_collation'::regclass AND oid = u.refobjid
    UNION ALL
    SELECT opcnamespace FROM pg_catalog.pg_opclass WHERE u.refclassid = 'pg_catalog.pg_opclass'::regclass AND oid = u.refobjid
  ) place (namespace) ON true
  WHERE namespace NOT IN (SELECT namespace FROM own)
    AND namespace NOT IN ('pg_catalog'::pg_catalog.regnamespace, 'information_schema'::pg_catalog.regnamespace,
                          'pg_toast'::pg_catalog.regnamespace)
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e
                    WHERE e.classid = u.refclassid AND e.objid = u.refobjid AND e.deptype = 'e')
  GROUP BY u.classid, u.objid, u.essential ORDER BY u.essential DESC, 1 LIMIT ${maxBeyond}`;

const extensionsSql = `
  SELECT DISTINCT x.extname AS name FROM uses u
  LEFT JOIN pg_catalog.pg_depend e ON e.classid = u.refclassid AND e.objid = u.refobjid AND e.deptype = 'e'
  JOIN pg_catalog.pg_extension x
    ON x.oid = CASE WHEN u.refclassid = 'pg_catalog.pg_extension'::regclass THEN u.refobjid ELSE e.refobjid END
  WHERE x.extname <> 'plpgsql' ORDER BY 1`;

const rolesSql = `
  SELECT DISTINCT r.rolname AS name FROM pg_catalog.pg_shdepend d JOIN pg_catalog.pg_roles r ON r.oid = d.refobjid
  WHERE d.refclassid = 'pg_catalog.pg_authid'::regclass
    AND d.dbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
    AND (EXISTS (SELECT FROM objects o WHERE o.classid = d.classid AND o.objid = d.objid)
      OR d.classid = 'pg_catalog.pg_namespace'::regclass AND d.objid IN (SELECT namespace FROM own))
  ORDER BY 1`;

/** The extensions that the objects of a schema need. */
export async function readExtensionsOf(client: Client, schema: string): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(`${usesSql(schema)} ${extensionsSql}`);
  return rows.map(({ name }) => name);
}

/**
 * Looks at a schema inside the snapshot's transaction.
 *
 * @throws PreflightError when its tables or types cannot be made without things that are elsewhere.
 */
export async function readOneSchema(client: Client, schema: string): Promise<OneSchema> {
  const { rows: known } = await client.query(
    `SELECT FROM pg_catalog.pg_namespace WHERE nspname = ${quoteLiteral(schema)}`,
  );
  const { rows } = await client.query<{ object: string; needs: string; essential: boolean }>(
    `${usesSql(schema)} ${beyondSql}`,
  );
  const essential = rows
    .filter((row) => row.essential)
    .map(({ object, needs }) => `${object} needs ${needs}`);
  if (essential.length > 0) {
    const more = essential.length > maxNamed ? `; and ${essential.length - maxNamed} more` : '';
    throw new PreflightError(
      `The schema could not be restored by itself: ${essential.slice(0, maxNamed).join('; ')}${more}. ` +
        'Move what its tables need into the schema, or into an extension.',
    );
  }
  const { rows: roles } = await client.query<{ name: string }>(`${usesSql(schema)} ${rolesSql}`);
  return {
    found: known.length > 0,
    extensions: await readExtensionsOf(client, schema),
    leavesOut: rows.map(({ object, needs }) => ({
      object,
      reason: `It needs ${needs}, which is not in the schema.`,
    })),
    roles: roles.map(({ name }) => name),
  };
}

const maxNamed = 25;
