import type { CountedTable } from './contract.ts';
import { countedSql, countingSql } from './counting-sql.ts';

/** One step of what a shard's database needs. It runs once, and may be run again without harm. */
interface Version {
  readonly version: number;
  readonly title: string;
  readonly sql: string;
}

/** Serialises runs in one database; the number only has to be the same in all of them. */
const lock = 'SELECT pg_advisory_xact_lock(7261636865);';

const preparation = `CREATE SCHEMA IF NOT EXISTS mainstay;
REVOKE ALL ON SCHEMA mainstay FROM PUBLIC;
CREATE TABLE IF NOT EXISTS mainstay.bootstrap (
  version integer PRIMARY KEY,
  title text NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now()
);`;

const versions: readonly Version[] = [
  {
    version: 1,
    title: 'roles of the functions',
    sql: `DO $bootstrap$
DECLARE
  role_name text;
BEGIN
  -- Roles belong to the whole cluster: another of its databases may have created them.
  FOREACH role_name IN ARRAY ARRAY['mainstay_backup', 'mainstay_restore', 'mainstay_probe', 'mainstay_stats'] LOOP
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = role_name) THEN
      EXECUTE format('CREATE ROLE %I LOGIN', role_name);
    END IF;
    EXECUTE format('ALTER ROLE %I SET search_path = pg_catalog', role_name);
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), role_name);
    EXECUTE format('GRANT rds_iam TO %I', role_name);
  END LOOP;
END
$bootstrap$;
-- Reads everything; its transactions are read-only unless a session says otherwise. Limits on time that others have are
-- not for a backup.
GRANT pg_read_all_data TO mainstay_backup WITH INHERIT TRUE;
ALTER ROLE mainstay_backup SET default_transaction_read_only = on;
ALTER ROLE mainstay_backup SET statement_timeout = 0;
ALTER ROLE mainstay_backup SET idle_in_transaction_session_timeout = 0;
-- Creates the databases that it restores into, and owns them.
ALTER ROLE mainstay_restore CREATEDB;
-- Looks at statistics, never at rows.
GRANT pg_monitor TO mainstay_stats WITH INHERIT TRUE;
ALTER ROLE mainstay_stats SET default_transaction_read_only = on;
ALTER ROLE mainstay_stats SET statement_timeout = '30s';
-- Proves with one small write that the writer is one.
CREATE TABLE IF NOT EXISTS mainstay.heartbeat (
  source text PRIMARY KEY,
  beaten_at timestamptz NOT NULL DEFAULT now()
);
GRANT USAGE ON SCHEMA mainstay TO mainstay_probe;
GRANT SELECT, INSERT, UPDATE ON mainstay.heartbeat TO mainstay_probe;
ALTER ROLE mainstay_probe SET statement_timeout = '5s';`,
  },
  {
    version: 2,
    title: 'restores',
    sql: `-- Owns restored databases and what is in them while they are restored; mainstay_restore logs in, and acts as it. It is
-- not that role itself, because whoever runs this becomes a member, to hand restored objects over to itself and to rename
-- restored databases: a member of a role with rds_iam cannot log in by password any more.
DO $bootstrap$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'mainstay_restore_owner') THEN
    CREATE ROLE mainstay_restore_owner NOLOGIN;
  END IF;
END
$bootstrap$;
ALTER ROLE mainstay_restore_owner CREATEDB;
ALTER ROLE mainstay_restore NOCREATEDB;
GRANT mainstay_restore_owner TO mainstay_restore WITH INHERIT TRUE, SET TRUE;
GRANT mainstay_restore_owner TO CURRENT_USER WITH INHERIT TRUE, SET TRUE;
ALTER ROLE mainstay_restore SET role = 'mainstay_restore_owner';
-- Reads what it has restored once more, also what belongs to others by then.
GRANT pg_read_all_data TO mainstay_restore_owner WITH INHERIT TRUE;
ALTER ROLE mainstay_restore SET statement_timeout = 0;`,
  },
  {
    version: 3,
    title: 'failover',
    sql: `-- Examines instances, fences an old writer, promotes a new one.
DO $bootstrap$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'mainstay_failover') THEN
    CREATE ROLE mainstay_failover LOGIN;
  END IF;
  EXECUTE format('GRANT CONNECT ON DATABASE %I TO mainstay_failover', current_database());
  -- The heartbeat of earlier versions: nobody has written it.
  IF EXISTS (SELECT FROM pg_catalog.pg_attribute
              WHERE attrelid = to_regclass('mainstay.heartbeat') AND attname = 'source' AND NOT attisdropped) THEN
    DROP TABLE mainstay.heartbeat;
  END IF;
END
$bootstrap$;
ALTER ROLE mainstay_failover SET search_path = pg_catalog;
ALTER ROLE mainstay_failover SET statement_timeout = '10s';
GRANT rds_iam TO mainstay_failover;
-- One row, written anew with each probe: that the writer is one, and how far a reader is behind it.
CREATE TABLE IF NOT EXISTS mainstay.heartbeat (
  shard text PRIMARY KEY,
  epoch bigint NOT NULL,
  beat bigint NOT NULL,
  at timestamptz NOT NULL
);
GRANT USAGE ON SCHEMA mainstay TO mainstay_failover;
GRANT SELECT, INSERT, UPDATE ON mainstay.heartbeat TO mainstay_probe, mainstay_failover;
-- Where RDS manages the cluster it does these things itself, and does not let anybody else.
DO $bootstrap$
DECLARE
  permission text;
BEGIN
  FOREACH permission IN ARRAY ARRAY[
    'GRANT pg_signal_backend TO mainstay_failover WITH INHERIT TRUE',
    'GRANT EXECUTE ON FUNCTION pg_catalog.pg_promote(boolean, integer) TO mainstay_failover',
    'GRANT EXECUTE ON FUNCTION pg_catalog.pg_reload_conf() TO mainstay_failover',
    'GRANT ALTER SYSTEM ON PARAMETER default_transaction_read_only TO mainstay_failover'
  ] LOOP
    BEGIN
      EXECUTE permission;
    EXCEPTION WHEN insufficient_privilege OR invalid_grant_operation OR undefined_object THEN
      RAISE WARNING 'mainstay_failover is not given something, which only a failover of the kind replica needs: %', permission;
    END;
  END LOOP;
END
$bootstrap$;`,
  },
  {
    version: 4,
    title: 'health and maintenance',
    sql: `-- Counts what statements take, where the server offers that; one that is there already stays where it is.
DO $bootstrap$
BEGIN
  CREATE EXTENSION IF NOT EXISTS pg_stat_statements WITH SCHEMA mainstay;
EXCEPTION WHEN insufficient_privilege OR undefined_file OR feature_not_supported THEN
  RAISE WARNING 'pg_stat_statements is not there: slow statements are not counted. %', SQLERRM;
END
$bootstrap$;
GRANT USAGE ON SCHEMA mainstay TO mainstay_stats;
-- Analyses, vacuums, and removes old rows of the tables that it is given rights to.
DO $bootstrap$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'mainstay_maintain') THEN
    CREATE ROLE mainstay_maintain LOGIN;
  END IF;
  EXECUTE format('GRANT CONNECT ON DATABASE %I TO mainstay_maintain', current_database());
  BEGIN
    GRANT pg_maintain TO mainstay_maintain WITH INHERIT TRUE;
  EXCEPTION WHEN insufficient_privilege OR undefined_object THEN
    RAISE WARNING 'mainstay_maintain is not given pg_maintain: tables are reported, and not analysed or vacuumed. %', SQLERRM;
  END;
END
$bootstrap$;
ALTER ROLE mainstay_maintain SET search_path = pg_catalog;
ALTER ROLE mainstay_maintain SET lock_timeout = '5s';
GRANT rds_iam TO mainstay_maintain;`,
  },
  {
    version: 5,
    title: 'clients of services',
    sql: `-- Roles of services that become members of it may read which epoch a shard has: so that they notice a writer that was replaced.
DO $bootstrap$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'mainstay_client') THEN
    CREATE ROLE mainstay_client NOLOGIN;
  END IF;
END
$bootstrap$;
GRANT USAGE ON SCHEMA mainstay TO mainstay_client;
GRANT SELECT (shard, epoch) ON mainstay.heartbeat TO mainstay_client;`,
  },
  {
    version: 6,
    title: 'counting by slot',
    sql: `-- Reads key columns for mainstay_stats, which is told numbers and no rows.
DO $bootstrap$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'mainstay_counter') THEN
    CREATE ROLE mainstay_counter NOLOGIN;
  END IF;
END
$bootstrap$;
GRANT pg_read_all_data TO mainstay_counter WITH INHERIT TRUE;
GRANT mainstay_counter TO CURRENT_USER WITH INHERIT TRUE, SET TRUE;
GRANT USAGE ON SCHEMA mainstay TO mainstay_stats;
GRANT USAGE, CREATE ON SCHEMA mainstay TO mainstay_counter;
${countingSql}
REVOKE CREATE ON SCHEMA mainstay FROM mainstay_counter;`,
  },
];

/** The version that a prepared database has. */
export const latestVersion = Math.max(...versions.map(({ version }) => version));

/**
 * Tables whose row policies hide rows from the backup role. Each run looks anew: tables come and go. The owner of
 * a table passes its policies, so the role becomes a member of the owners, and may not become them (SET FALSE). It
 * inherits their right to change those tables as well; what holds it back there is only that it starts every
 * transaction read-only. No lesser right passes a policy where nobody may set BYPASSRLS.
 */
const rowSecurity = `DO $bootstrap$
DECLARE
  owner_name text;
BEGIN
  FOR owner_name IN
    SELECT DISTINCT pg_catalog.pg_get_userbyid(c.relowner)
      FROM pg_catalog.pg_class c
     WHERE c.relkind IN ('r', 'p') AND c.relrowsecurity
       AND NOT pg_catalog.pg_has_role('mainstay_backup', c.relowner, 'USAGE')
  LOOP
    BEGIN
      EXECUTE format('GRANT %I TO mainstay_backup WITH INHERIT TRUE, SET FALSE', owner_name);
    EXCEPTION WHEN insufficient_privilege OR invalid_grant_operation THEN
      RAISE WARNING 'mainstay_backup cannot become a member of %: its tables with row security cannot be backed up', owner_name;
    END;
  END LOOP;
END
$bootstrap$;`;

/**
 * Roles that own something in this database: what is restored is given back to them, so mainstay_restore_owner becomes a
 * member of each. Each run looks anew. What belongs to whoever runs this is handed over by a function of its own (see
 * `restores-sql.ts`): nobody may grant the master user.
 */
const owners = `DO $bootstrap$
DECLARE
  owner_name text;
BEGIN
  FOR owner_name IN
    SELECT DISTINCT r.rolname
      FROM pg_catalog.pg_shdepend d JOIN pg_catalog.pg_roles r ON r.oid = d.refobjid
     WHERE d.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass AND d.deptype = 'o'
       AND d.dbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
       AND r.rolname NOT IN (current_user, 'mainstay_restore', 'mainstay_restore_owner') AND NOT r.rolsuper AND r.rolname !~ '^(pg_|rds)'
       AND NOT (pg_catalog.pg_has_role('mainstay_restore_owner', r.oid, 'USAGE')
                AND pg_catalog.pg_has_role('mainstay_restore_owner', r.oid, 'SET'))
  LOOP
    BEGIN
      EXECUTE format('GRANT %I TO mainstay_restore_owner WITH INHERIT TRUE, SET TRUE', owner_name);
    EXCEPTION WHEN insufficient_privilege OR invalid_grant_operation THEN
      RAISE WARNING 'mainstay_restore_owner cannot become a member of %: what it owns is restored for another owner', owner_name;
    END;
  END LOOP;
END
$bootstrap$;`;

/** Tables that the backup role still cannot read in full, with why; a backup refuses them by name. */
export const hiddenTablesSql = `SELECT format('%I.%I', n.nspname, c.relname) AS "table",
       CASE WHEN c.relforcerowsecurity THEN 'forced' ELSE 'owner' END AS reason
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p') AND c.relrowsecurity
   AND (c.relforcerowsecurity OR NOT pg_catalog.pg_has_role('mainstay_backup', c.relowner, 'USAGE'))
 ORDER BY 1`;

/** Versions that a database has, once `preparation` has run. */
export const appliedVersionsSql = 'SELECT version FROM mainstay.bootstrap ORDER BY version';

/** The statements that bring a database with the given versions up to date, to run in one transaction in this order. */
export function bootstrapSteps(
  applied: readonly number[],
  counted: readonly CountedTable[],
): { version: number | undefined; sql: string }[] {
  const missing = versions.filter(({ version }) => !applied.includes(version));
  return [
    ...missing.map(({ version, title, sql }) => ({ version, sql: `${sql}\n${recordSql(version, title)}` })),
    { version: undefined, sql: countedSql(counted) },
    { version: undefined, sql: rowSecurity },
    { version: undefined, sql: owners },
  ];
}

/** What comes before the steps, in the same transaction. */
export const bootstrapPreparation = `${lock}\n${preparation}`;

function recordSql(version: number, title: string): string {
  return `INSERT INTO mainstay.bootstrap (version, title) VALUES (${version}, '${title}') ON CONFLICT DO NOTHING;`;
}

/**
 * Everything as one script, for clusters that the deployment has adopted and may not change: their administrator
 * runs it with psql in the platform's database. Running it again does no harm.
 *
 * @param counted tables that analyses may count.
 */
export function bootstrapScript(counted: readonly CountedTable[] = []): string {
  const steps = bootstrapSteps([], counted).map(({ sql }) => sql);
  return ['BEGIN;', bootstrapPreparation, ...steps, 'COMMIT;', ''].join('\n');
}
