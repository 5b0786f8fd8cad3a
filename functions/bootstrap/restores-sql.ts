/**
 * What restores need of the master user, who alone may own what it owns and rename its databases. It is a database of its
 * own: the template that restored databases are made from, so that the functions in it are in each of them as well.
 */

/** Its name in every cluster. */
export const restoresDatabase = 'mainstay';

/** Says how to make the database, if there is none: in the encoding and locale of the one that it runs in. */
export const createRestoresDatabaseSql = `SELECT format(
         'CREATE DATABASE ${restoresDatabase} TEMPLATE template0 IS_TEMPLATE true ENCODING %L LOCALE_PROVIDER %s LC_COLLATE %L LC_CTYPE %L%s',
         pg_encoding_to_char(encoding), provider, datcollate, datctype,
         CASE provider WHEN 'icu' THEN format(' ICU_LOCALE %L', datlocale)
                       WHEN 'builtin' THEN format(' BUILTIN_LOCALE %L', datlocale) END) AS sql
  FROM (SELECT *, CASE datlocprovider WHEN 'c' THEN 'libc' WHEN 'i' THEN 'icu' ELSE 'builtin' END AS provider
          FROM pg_catalog.pg_database) AS d
 WHERE datname = current_database()
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_database WHERE datname = '${restoresDatabase}')`;

/** Settings that a function cannot make for a moment, or that are nobody's to pass on. */
const notCarried = ['role', 'session_authorization'];

/**
 * The functions, as of now; running it again puts them back. Each has its search path pinned and refuses everybody but
 * mainstay_restore_owner, and everything that is not a database which that role has made for a restore.
 */
export const restoresSql = `SELECT pg_advisory_xact_lock(7261636865);
CREATE SCHEMA IF NOT EXISTS mainstay_restore;
REVOKE ALL ON SCHEMA mainstay_restore FROM PUBLIC;

-- Runs a statement that the role of restores may not run in a database that it has made: those of a few kinds that
-- PostgreSQL or RDS keep for owners and administrators.
CREATE OR REPLACE FUNCTION mainstay_restore.as_master(statement text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $function$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_database
                  WHERE datname = current_database() AND pg_get_userbyid(datdba) = 'mainstay_restore_owner') THEN
    RAISE insufficient_privilege USING MESSAGE = 'This is not a database of a restore.';
  END IF;
  IF statement !~ '^(ALTER DEFAULT PRIVILEGES|CREATE EXTENSION|COMMENT ON (EXTENSION|EVENT TRIGGER)|(CREATE|ALTER) EVENT TRIGGER|CREATE PUBLICATION)\\s[^;]*;?$' THEN
    RAISE insufficient_privilege USING MESSAGE = 'This is not a statement for the master user.';
  END IF;
  EXECUTE statement;
END
$function$;

-- Gives to the master user what still belongs to the role of restores: pg_dump said so of it, or named a role that
-- does not exist. Sequences of columns follow their tables. Answers what it could not give, and why.
CREATE OR REPLACE FUNCTION mainstay_restore.hand_over() RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $function$
DECLARE
  item record;
  command text;
  missing jsonb := '[]';
BEGIN
  FOR item IN
    SELECT o.type, o.identity
      FROM pg_shdepend d
      CROSS JOIN LATERAL pg_identify_object(d.classid, d.objid, 0) o
     WHERE d.dbid = (SELECT oid FROM pg_database
                      WHERE datname = current_database() AND pg_get_userbyid(datdba) = 'mainstay_restore_owner')
       AND d.refclassid = 'pg_authid'::regclass AND d.deptype = 'o'
       AND d.refobjid = 'mainstay_restore_owner'::regrole
       AND o.type NOT IN ('extension', 'default acl', 'user mapping', 'cast', 'transform', 'composite type')
       AND o.identity <> 'mainstay_restore' AND o.schema IS DISTINCT FROM 'mainstay_restore'
       AND NOT EXISTS (SELECT FROM pg_depend s
                        WHERE s.classid = d.classid AND s.objid = d.objid AND s.classid = 'pg_class'::regclass
                          AND s.refclassid = 'pg_class'::regclass AND s.refobjsubid > 0 AND s.deptype IN ('a', 'i')
                          AND EXISTS (SELECT FROM pg_class c WHERE c.oid = d.objid AND c.relkind = 'S'))
     ORDER BY o.type, o.identity
  LOOP
    command := format('ALTER %s %s OWNER TO %I',
      CASE item.type WHEN 'statistics object' THEN 'STATISTICS' WHEN 'foreign-data wrapper' THEN 'FOREIGN DATA WRAPPER'
                     ELSE upper(item.type) END,
      item.identity, current_user);
    BEGIN
      EXECUTE command;
    EXCEPTION WHEN insufficient_privilege THEN
      missing := missing || jsonb_build_object('object', format('%s %s', upper(item.type), item.identity),
        'reason', SQLERRM, 'statement', left(command || ';', 2000));
    END;
  END LOOP;
  RETURN missing;
END
$function$;

-- Ends the sessions that keep a database from being renamed: only while mainstay_restore waits for that.
CREATE OR REPLACE FUNCTION mainstay_restore.end_sessions() RETURNS integer
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $function$
  SELECT count(pg_terminate_backend(a.pid))::integer
    FROM pg_stat_activity a LEFT JOIN pg_roles r ON r.oid = a.usesysid
   WHERE r.rolsuper IS NOT TRUE
     AND EXISTS (SELECT FROM pg_locks l JOIN pg_stat_activity h ON h.pid = l.pid
                  WHERE l.locktype = 'object' AND l.classid = 'pg_database'::regclass AND l.objid = a.datid
                    AND l.mode = 'AccessExclusiveLock' AND l.granted AND l.pid <> a.pid
                    AND h.usename = 'mainstay_restore')
$function$;

-- Puts a restored database in the place of another: that one is renamed to kept and belongs to mainstay_restore_owner from then
-- on, the restored one gets its name, owner, privileges, comment and settings. All of it, or nothing. New connections
-- wait for the end of it; it waits five seconds for the sessions in both to end, which end_sessions, called
-- meanwhile by another session, sees to. Doing it again changes nothing. Answers the settings that could not be carried.
CREATE OR REPLACE FUNCTION mainstay_restore.swap_database(restore text, original name, restored name, kept name)
RETURNS text[]
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $function$
DECLARE
  before record;
  after record;
  item record;
  held text;
  missing text[] := '{}';
BEGIN
  IF EXISTS (SELECT FROM pg_database
              WHERE datname = kept AND pg_get_userbyid(datdba) = 'mainstay_restore_owner'
                AND shobj_description(oid, 'pg_database') = format('Mainstay restore %s: replaced', restore))
     AND EXISTS (SELECT FROM pg_database WHERE datname = original)
     AND NOT EXISTS (SELECT FROM pg_database WHERE datname = restored) THEN
    RETURN missing;
  END IF;
  SELECT d.oid, pg_get_userbyid(datdba) AS owner, datacl, datconnlimit, shobj_description(d.oid, 'pg_database') AS comment,
         coalesce(datacl, acldefault('d', datdba)) AS acl
    INTO before FROM pg_database d WHERE datname = original;
  IF before.oid IS NULL THEN
    RAISE invalid_catalog_name USING MESSAGE = format('There is no database %I.', original);
  END IF;
  SELECT d.oid, coalesce(datacl, acldefault('d', datdba)) AS acl
    INTO after FROM pg_database d
   WHERE datname = restored AND pg_get_userbyid(datdba) = 'mainstay_restore_owner'
     AND shobj_description(d.oid, 'pg_database')
         IN (format('Mainstay restore %s: restored', restore), format('Mainstay restore %s: replaced', restore));
  IF after.oid IS NULL THEN
    RAISE insufficient_privilege USING MESSAGE = format('%I is not a database that restore %s has completed.', restored, restore);
  END IF;
  EXECUTE format('ALTER DATABASE %I RENAME TO %I', original, kept);
  EXECUTE format('ALTER DATABASE %I RENAME TO %I', restored, original);
  EXECUTE format('ALTER DATABASE %I OWNER TO mainstay_restore_owner', kept);
  EXECUTE format('COMMENT ON DATABASE %I IS %L', kept, format('Mainstay restore %s: replaced', restore));
  EXECUTE format('ALTER DATABASE %I OWNER TO %I', original, before.owner);
  EXECUTE format('ALTER DATABASE %I CONNECTION LIMIT %s', original, before.datconnlimit);
  EXECUTE format('COMMENT ON DATABASE %I IS %L', original, before.comment);

  FOR item IN SELECT DISTINCT grantee FROM aclexplode(after.acl) LOOP
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM %s', original,
      CASE item.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(item.grantee)) END);
  END LOOP;
  EXECUTE format('REVOKE ALL ON DATABASE %I FROM %I', original, before.owner);
  FOR item IN SELECT * FROM aclexplode(before.acl) LOOP
    EXECUTE format('GRANT %s ON DATABASE %I TO %s%s', item.privilege_type, original,
      CASE item.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(item.grantee)) END,
      CASE WHEN item.is_grantable THEN ' WITH GRANT OPTION' END);
  END LOOP;

  FOR item IN
    SELECT s.setrole, split_part(c, '=', 1) AS name, substr(c, strpos(c, '=') + 1) AS value
      FROM pg_db_role_setting s CROSS JOIN LATERAL unnest(s.setconfig) c WHERE s.setdatabase = before.oid
  LOOP
    BEGIN
      IF item.name IN (${notCarried.map((name) => `'${name}'`).join(', ')}) THEN
        RAISE insufficient_privilege;
      END IF;
      -- The value as it is, without its being quoted anew: what is in force for a moment is what is stored.
      held := current_setting(item.name, true);
      PERFORM set_config(item.name, item.value, true);
      IF item.setrole = 0 THEN
        EXECUTE format('ALTER DATABASE %I SET %s FROM CURRENT', original, item.name);
      ELSE
        EXECUTE format('ALTER ROLE %I IN DATABASE %I SET %s FROM CURRENT',
          pg_get_userbyid(item.setrole), original, item.name);
      END IF;
      PERFORM set_config(item.name, coalesce(held, ''), true);
    EXCEPTION WHEN OTHERS THEN
      missing := missing || format('%s%s = %s',
        CASE WHEN item.setrole <> 0 THEN format('%I: ', pg_get_userbyid(item.setrole)) END, item.name, item.value);
    END;
  END LOOP;
  RETURN missing;
END
$function$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA mainstay_restore FROM PUBLIC;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA mainstay_restore TO mainstay_restore_owner;
-- The role drops the schema from a database when its restore is complete.
ALTER SCHEMA mainstay_restore OWNER TO mainstay_restore_owner;`;

/** The same as a script for psql; it goes on from \`bootstrapScript\`, in the platform's database. */
export function restoresScript(): string {
  return [
    `${createRestoresDatabaseSql} \\gexec`,
    `\\connect ${restoresDatabase}`,
    'BEGIN;',
    restoresSql,
    'COMMIT;',
    '',
  ].join('\n');
}
