import type { Client } from 'pg';
import type { SnapshotId } from '../ids.ts';
import { quoteLiteral } from './sql.ts';

/**
 * Everything that has a say in how a value becomes COPY text, pinned: the same row gives the same bytes in
 * every session, on every server. An empty search path writes every name with its schema.
 */
export const pinnedSettings: Readonly<Record<string, string>> = {
  client_encoding: 'UTF8',
  DateStyle: 'ISO, YMD',
  IntervalStyle: 'postgres',
  TimeZone: 'UTC',
  extra_float_digits: '3',
  bytea_output: 'hex',
  lc_monetary: 'C',
  xmlbinary: 'base64',
  search_path: '',
};

/** A backup reads everything or fails, and waits as long as its own clock says. */
const sessionSettings: Readonly<Record<string, string>> = {
  ...pinnedSettings,
  row_security: 'off',
  statement_timeout: '0',
  lock_timeout: '0',
  idle_in_transaction_session_timeout: '0',
  idle_session_timeout: '0',
  transaction_timeout: '0',
  synchronize_seqscans: 'off',
  jit: 'off',
};

/** Prepares a fresh connection for reading a backup. Settings that an older server does not have are passed over. */
export async function prepareSession(client: Client): Promise<void> {
  const names = Object.keys(sessionSettings);
  await client.query(
    `SELECT pg_catalog.set_config(w.name, w.value, false)
     FROM unnest($1::text[], $2::text[]) AS w (name, value)
     WHERE EXISTS (SELECT FROM pg_catalog.pg_settings s WHERE lower(s.name) = lower(w.name))`,
    [names, Object.values(sessionSettings)],
  );
}

/** Begins the transaction that a snapshot is taken in. Nothing is read yet, so locks can still come first. */
export async function beginReading(client: Client): Promise<void> {
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
}

/** Begins a transaction that sees exactly what an exported snapshot saw. */
export async function beginImporting(client: Client, snapshotId: SnapshotId): Promise<void> {
  await beginReading(client);
  await client.query(`SET TRANSACTION SNAPSHOT ${quoteLiteral(snapshotId)}`);
}

/** Ends the transaction, if there is one; the connection may be broken already. */
export async function rollback(client: Client): Promise<void> {
  await client.query('ROLLBACK').catch(() => undefined);
}
