import pg from 'pg';
import type { Instance } from './instance.ts';

/** The owner of a new cluster's database. */
export interface Master {
  username: string;
  password: string;
}

/** Roles of PostgreSQL that Aurora's master user may use and give to others. */
const predefined = [
  'pg_checkpoint',
  'pg_create_subscription',
  'pg_maintain',
  'pg_monitor',
  'pg_read_all_data',
  'pg_signal_autovacuum_worker',
  'pg_signal_backend',
  'pg_use_reserved_connections',
  'pg_write_all_data',
];

/**
 * Gives a new database system the roles it has on Aurora, and its first database. The master user is
 * no superuser: it may create databases, roles and trusted extensions, and pass on `rds_iam`,
 * `rds_superuser` and PostgreSQL's predefined roles.
 */
export async function createRoles(instance: Instance, master: Master, database: string): Promise<void> {
  const name = pg.escapeIdentifier(master.username);
  const statements = [
    'CREATE ROLE rds_superuser NOLOGIN',
    'CREATE ROLE rds_iam NOLOGIN',
    // The right to pass rds_iam on must not make the master user itself one that authenticates by IAM.
    'GRANT rds_iam TO rds_superuser WITH ADMIN TRUE, INHERIT FALSE, SET FALSE',
    `GRANT ${predefined.join(', ')} TO rds_superuser WITH ADMIN TRUE`,
    `CREATE ROLE ${name} LOGIN CREATEDB CREATEROLE NOSUPERUSER PASSWORD ${pg.escapeLiteral(master.password)}`,
    `GRANT rds_superuser TO ${name} WITH ADMIN TRUE`,
    `CREATE DATABASE ${pg.escapeIdentifier(database)} OWNER ${name}`,
  ];
  for (const statement of statements) await instance.admin.query(statement);
}

/** Sets the master user's password. */
export async function setMasterPassword(instance: Instance, master: Master): Promise<void> {
  await instance.admin.query(
    `ALTER ROLE ${pg.escapeIdentifier(master.username)} PASSWORD ${pg.escapeLiteral(master.password)}`,
  );
}

/** What the endpoint needs to know of a role to authenticate it. */
export interface RoleFacts {
  superuser: boolean;
  /** Whether it authenticates with IAM tokens and nothing else. */
  iam: boolean;
  /** Its SCRAM verifier; undefined: it has no password, or the password's time is over. */
  verifier: string | undefined;
}

/** Looks a role up by name; undefined when there is none. */
export async function roleFacts(instance: Instance, name: string): Promise<RoleFacts | undefined> {
  const [row] = await instance.admin.query(
    `SELECT rolsuper,
            pg_has_role(oid, 'rds_iam', 'USAGE') OR pg_has_role(oid, 'rds_iam', 'SET') AS iam,
            CASE WHEN rolvaliduntil IS NULL OR rolvaliduntil > now() THEN rolpassword END AS verifier
       FROM pg_catalog.pg_authid
      WHERE rolname = $1`,
    [name],
  );
  if (row === undefined) return undefined;
  const verifier = typeof row.verifier === 'string' ? row.verifier : undefined;
  return { superuser: row.rolsuper === true, iam: row.iam === true, verifier };
}
