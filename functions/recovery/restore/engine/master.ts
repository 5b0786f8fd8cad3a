import type { Client } from 'pg';
import { workSchema } from './steps.ts';

/**
 * The master user that prepared this cluster for restores, if the database was made from its template: there are functions
 * of it then that do what the role of restores may not. See `functions/bootstrap/restores-sql.ts`.
 */
export async function findMaster(client: Client): Promise<string | undefined> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT pg_catalog.pg_get_userbyid(p.proowner) AS name FROM pg_catalog.pg_proc p
       WHERE p.oid = pg_catalog.to_regprocedure('${workSchema}.hand_over()')
         AND p.proowner <> (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = current_user)`,
  );
  return rows[0]?.name;
}

/** What the master user's function runs: see `as_master`. */
const delegable =
  /^(ALTER DEFAULT PRIVILEGES|CREATE EXTENSION|COMMENT ON (EXTENSION|EVENT TRIGGER)|(CREATE|ALTER) EVENT TRIGGER|CREATE PUBLICATION)\s[^;]*;$/;

/** Whether a statement can be passed on to the master user. */
export const isDelegable = (statement: string): boolean => delegable.test(statement);

/**
 * A statement about the privileges on an object of the master user, for the time that it belongs to the role of restores:
 * when it changes hands, PostgreSQL changes the owner's name in its privileges too.
 */
export function inPlaceOfMaster(statement: string, master: string, role: string): string {
  const [, before, grantee, after] =
    /^([\s\S]*\s(?:TO|FROM) )("(?:[^"]|"")*"|[^\s";]+)((?: WITH GRANT OPTION)?;)$/.exec(statement) ?? [];
  return grantee !== undefined && unquote(grantee) === master ? `${before}${role}${after}` : statement;
}

/** Whom `ALTER … OWNER TO` gives its object to. */
export function newOwner(statement: string): string | undefined {
  const [, name] = /^ALTER\s[\s\S]*\sOWNER TO ("(?:[^"]|"")*"|[^\s";]+);$/.exec(statement) ?? [];
  return name === undefined ? undefined : unquote(name);
}

const unquote = (name: string): string =>
  name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name;
