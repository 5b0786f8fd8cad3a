import type { Client } from 'pg';
import type { Clock } from '../../clock.ts';
import { prepareSession } from '../../snapshot/session.ts';

/** What an engine of restores needs to reach one server. */
export interface TargetServer {
  /** Connects to a database of the server as the role of restores; statements may take any time. */
  connect(database: string): Promise<Client>;
  readonly clock: Clock;
}

/** A database of every server, from which others can be made and dropped. */
export const maintenanceDatabase = 'postgres';

/**
 * A session whose function is gone holds locks that the next one waits for: the server notices within a minute. Commits do
 * not wait for the disk; the last one of a restore does, and with it all before.
 */
const settings: Readonly<Record<string, string>> = {
  tcp_keepalives_idle: '30',
  tcp_keepalives_interval: '10',
  tcp_keepalives_count: '3',
  idle_session_timeout: '300000',
  idle_in_transaction_session_timeout: '300000',
  synchronous_commit: 'off',
};

/** Connects and prepares the session as backups do, so that values are read as they were written. */
export async function openTarget(server: TargetServer, database: string): Promise<Client> {
  const client = await server.connect(database);
  await prepareSession(client);
  await client.query(
    'SELECT pg_catalog.set_config(w.name, w.value, false) FROM unnest($1::text[], $2::text[]) AS w (name, value)',
    [Object.keys(settings), Object.values(settings)],
  );
  return client;
}

/** Runs `work` on a prepared session of its own, and ends it whatever happens. */
export async function withTarget<T>(
  server: TargetServer,
  database: string,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const client = await openTarget(server, database);
  try {
    return await work(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** The number only has to be the same in all sessions of restores; another database has locks of its own. */
const lock = 7_261_636_866;
const pollMs = 250;

/**
 * Waits for the sessions of earlier invocations that still work on this database: a statement outlives the function that
 * sent it. From then on this session is the only one, until it ends.
 *
 * @returns false when another one is still at work at `deadline` (milliseconds since the epoch).
 */
export async function holdTarget(client: Client, clock: Clock, deadline: number): Promise<boolean> {
  for (;;) {
    const { rows } = await client.query<{ held: boolean }>(
      `SELECT pg_catalog.pg_try_advisory_lock(${lock}) AS held`,
    );
    if (rows[0]?.held === true) return true;
    if (clock.now() >= deadline) return false;
    await clock.sleep(pollMs);
  }
}
