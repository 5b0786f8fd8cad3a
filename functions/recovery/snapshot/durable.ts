import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import { optional } from './optional.ts';

/** A server flushes its log at least every 15 s, when it logs which transactions are running. */
export const defaultDurableWaitMs = 16_000;
const pollMs = 50;

/** How far the log is written, in memory at least; nothing where the server does not tell. */
export async function readInsertLsn(client: Client): Promise<string | undefined> {
  const row = await optional(client, 'SELECT pg_catalog.pg_current_wal_insert_lsn()::text AS lsn');
  return typeof row?.lsn === 'string' ? row.lsn : undefined;
}

/**
 * Waits until the log is on disk up to `insertLsn`. With `synchronous_commit` off others see a transaction before it is;
 * after a crash it has never been, and its number is given again.
 *
 * @param insertLsn where the log was when the snapshot was taken; nothing where the server does not tell: then the wait is
 *   for as long as it takes the server at most.
 * @returns whether it is on disk, as far as can be told.
 */
export async function isDurable(
  client: Client,
  insertLsn: string | undefined,
  waitMs: number,
): Promise<boolean> {
  const until = Date.now() + waitMs;
  if (insertLsn === undefined) return waitForWriter(client, waitMs);
  for (let asked = false; ; asked = true) {
    const row = await optional(
      client,
      `SELECT pg_catalog.pg_current_wal_flush_lsn() >= '${insertLsn}'::pg_lsn AS flushed`,
    );
    if (row === undefined) return waitForWriter(client, until - Date.now());
    if (row.flushed === true) return true;
    if (Date.now() >= until) return false;
    if (!asked) await flush(client);
    else await sleep(pollMs);
  }
}

/**
 * Has the log flushed: on a quiet server the last of it may wait for seconds. An empty message takes no transaction
 * and says nothing to anybody. A server before 17 cannot; it is waited for.
 */
async function flush(client: Client): Promise<void> {
  await optional(client, "SELECT pg_catalog.pg_logical_emit_message(false, 'mainstay', '', true)");
}

/** The server's writer has a commit on disk within three of its rounds. A standby has no writer of its own. */
async function waitForWriter(client: Client, waitMs: number): Promise<boolean> {
  const row = await optional(
    client,
    `SELECT pg_catalog.pg_is_in_recovery() AS standby,
            (SELECT setting::int FROM pg_catalog.pg_settings WHERE name = 'wal_writer_delay') AS "delayMs"`,
  );
  if (typeof row?.delayMs !== 'number' || row.standby !== false) return false;
  const delayMs = 3 * row.delayMs;
  if (delayMs > waitMs) return false;
  await sleep(delayMs);
  return true;
}
