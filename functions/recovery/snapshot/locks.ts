import type { Client } from 'pg';
import { NotReadyError } from '../errors.ts';
import type { TableName } from './relations.ts';
import { qualifiedName, sqlState } from './sql.ts';

/** Tables per LOCK statement: a statement stays of a readable size. */
const perStatement = 1_000;

/** PostgreSQL's codes for a lock that was not to be had: in time, at once, or without a deadlock. */
const unavailable: ReadonlySet<string | undefined> = new Set(['55P03', '40P01']);

export const isLockUnavailable = (error: unknown): boolean => unavailable.has(sqlState(error));

/**
 * Locks tables against being emptied, rewritten or dropped; reading and writing rows goes on. Without it, a
 * TRUNCATE or a rewriting ALTER TABLE would make a later reader of the snapshot see no rows, without an error.
 *
 * @param waitMs how long each statement waits for locks; 0 for not at all.
 */
export async function lockTables(
  client: Client,
  tables: readonly TableName[],
  waitMs: number,
): Promise<void> {
  await client.query(`SET LOCAL lock_timeout = ${waitMs}`);
  for (let at = 0; at < tables.length; at += perStatement) {
    const names = tables.slice(at, at + perStatement).map((table) => `ONLY ${qualifiedName(table)}`);
    await client.query(`LOCK TABLE ${names.join(', ')} IN ACCESS SHARE MODE${waitMs === 0 ? ' NOWAIT' : ''}`);
  }
  await client.query('SET LOCAL lock_timeout = 0');
}

interface Blocker {
  readonly pid: number;
  readonly relation: string;
  readonly granted: boolean;
  readonly who: string;
}

/** Says which sessions have, or wait for, exclusive locks on some of `tables`. The transaction has been ended. */
export async function lockError(client: Client, tables: readonly TableName[]): Promise<NotReadyError> {
  const { rows } = await client.query<Blocker>(
    `SELECT l.pid, l.relation::pg_catalog.regclass::text AS relation, l.granted,
            concat_ws(' of ', nullif(a.application_name, ''), a.usename) AS who
     FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
     WHERE l.relation = ANY ($1::oid[]) AND l.mode = 'AccessExclusiveLock'
       AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
     ORDER BY l.granted DESC, l.pid LIMIT 10`,
    [tables.map((table) => table.oid)],
  );
  const who = rows.map(
    ({ pid, relation, granted, who }) =>
      `session ${pid}${who === '' ? '' : ` (${who})`} ${granted ? 'holds' : 'waits for'} an exclusive lock on ${relation}`,
  );
  return new NotReadyError(
    `The tables could not be locked for reading: ${who.length === 0 ? 'the lock was taken for a moment' : who.join('; ')}.`,
  );
}
