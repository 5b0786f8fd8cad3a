import type { Client } from 'pg';
import { PreflightError } from '../errors.ts';
import { inBackupOf } from './relations.ts';
import { qualifiedName, quoteIdentifier } from './sql.ts';

/** One thing that would be missing in the backup, and what would mend it. */
export interface Obstacle {
  /** Qualified name, or what else is in the way. */
  readonly object: string;
  readonly reason: string;
  /** SQL to run as the owner or as an administrator; empty where there is none. */
  readonly fix: string;
}

interface RelationRow {
  readonly schema: string;
  readonly name: string;
  readonly kind: 'r' | 'p' | 'S' | 'f' | string;
  readonly owner: string;
  readonly schema_usable: boolean;
  readonly readable: boolean;
  readonly policed: boolean;
  readonly forced: boolean;
  readonly access_method: string | null;
}

const known = new Set(['r', 'p', 'S', 'f', 'v', 'm', 'c', 'i', 'I', 't']);

/**
 * Names everything that a backup by the connected role would not hold completely. `row_security` is off in
 * the session, so `row_security_active` tells for which tables a policy would turn reading into an error.
 *
 * @param schema where the backup is of one alone: large objects are in none.
 */
export async function findObstacles(client: Client, schema?: string): Promise<Obstacle[]> {
  const role = await currentRole(client);
  const { rows } = await client.query<RelationRow>(
    `SELECT n.nspname AS schema, c.relname AS name, c.relkind AS kind, pg_catalog.pg_get_userbyid(c.relowner) AS owner,
            pg_catalog.has_schema_privilege(n.oid, 'USAGE') AS schema_usable,
            CASE WHEN c.relkind IN ('r', 'p') THEN pg_catalog.has_table_privilege(c.oid, 'SELECT')
                 WHEN c.relkind = 'S' THEN pg_catalog.has_sequence_privilege(c.oid, 'SELECT')
                 ELSE true END AS readable,
            CASE WHEN c.relkind = 'r' THEN pg_catalog.row_security_active(c.oid) ELSE false END AS policed,
            c.relforcerowsecurity AS forced, a.amname AS access_method
     FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     LEFT JOIN pg_catalog.pg_am a ON a.oid = c.relam AND c.relkind = 'r'
     WHERE c.relkind NOT IN ('v', 'm', 'c', 'i', 'I', 't') AND ${inBackupOf(schema)} ORDER BY n.nspname, c.relname`,
  );
  const obstacles = rows.flatMap((row) => obstaclesOf(row, role));
  if (schema !== undefined) return obstacles;
  const { rows: objects } = await client.query<{ count: number }>(
    'SELECT count(*)::int AS count FROM pg_catalog.pg_largeobject_metadata',
  );
  const count = objects[0]?.count ?? 0;
  if (count > 0) {
    obstacles.push({
      object: `${count} large object${count === 1 ? '' : 's'}`,
      reason: 'large objects are not part of a backup',
      fix: 'SELECT lo_unlink(oid) FROM pg_largeobject_metadata; -- after moving their contents to bytea columns',
    });
  }
  return obstacles;
}

/** @throws PreflightError naming every obstacle, the first 25 in full. */
export async function checkObstacles(client: Client, schema?: string): Promise<void> {
  const obstacles = await findObstacles(client, schema);
  if (obstacles.length === 0) return;
  const shown = obstacles.slice(0, 25).map(({ object, reason, fix }) => {
    return `${object}: ${reason}${fix === '' ? '' : ` (to mend it: ${fix})`}`;
  });
  const more = obstacles.length > shown.length ? `; and ${obstacles.length - shown.length} more` : '';
  throw new PreflightError(`The backup would not be complete. ${shown.join('; ')}${more}.`);
}

async function currentRole(client: Client): Promise<string> {
  const { rows } = await client.query<{ role: string }>('SELECT current_user AS role');
  return quoteIdentifier(rows[0]?.role ?? '');
}

function obstaclesOf(row: RelationRow, role: string): Obstacle[] {
  const object = qualifiedName(row);
  const found: Obstacle[] = [];
  const add = (reason: string, fix: string): void => void found.push({ object, reason, fix });

  if (!known.has(row.kind))
    return [{ object, reason: `relations of kind "${row.kind}" are not known`, fix: '' }];
  if (row.kind === 'f') {
    add('the rows of a foreign table live in another database', `DROP FOREIGN TABLE ${object};`);
    return found;
  }
  if (!row.schema_usable) {
    add(`${role} may not use the schema`, `GRANT USAGE ON SCHEMA ${quoteIdentifier(row.schema)} TO ${role};`);
  }
  if (!row.readable) {
    const what = row.kind === 'S' ? 'SEQUENCE ' : '';
    add(`${role} may not read it`, `GRANT SELECT ON ${what}${object} TO ${role};`);
  }
  if (row.policed) add(...policyObstacle(row, object, role));
  if (row.access_method !== null && row.access_method !== 'heap') {
    add(
      `its access method ${row.access_method} has no block ranges`,
      `ALTER TABLE ${object} SET ACCESS METHOD heap;`,
    );
  }
  return found;
}

/**
 * Row security does not apply to members of the owner, unless it is forced. On Aurora nobody may set BYPASSRLS, and
 * nobody may grant the master user: a table of its own needs another owner first.
 */
function policyObstacle(row: RelationRow, object: string, role: string): [reason: string, fix: string] {
  const owner = quoteIdentifier(row.owner);
  const grant =
    `GRANT ${owner} TO ${role} WITH INHERIT TRUE, SET FALSE; ` +
    `-- where nobody may grant ${owner}: first ALTER TABLE ${object} OWNER TO another role`;
  const bypass = `ALTER ROLE ${role} BYPASSRLS; -- only a superuser may`;
  return row.forced
    ? [
        `row level security is forced and hides rows from ${role}`,
        `${bypass} -- or: ALTER TABLE ${object} NO FORCE ROW LEVEL SECURITY; ${grant}`,
      ]
    : [`row level security hides rows from ${role}`, `${grant} -- or: ${bypass}`];
}
