import type { Client } from 'pg';
import { restoresDatabase } from '../../../bootstrap/restores-sql.ts';
import { NotReadyError } from '../../errors.ts';
import { sqlState } from '../../snapshot/sql.ts';
import { workSchema } from './steps.ts';
import { openTarget, type TargetServer } from './target-session.ts';

const inUse = '55006';
const noSuchDatabase = '3D000';
/** Each waits five seconds: PostgreSQL's own patience. */
const attempts = 5;
const pollMs = 200;

/**
 * Runs a statement that needs a database for itself (RENAME, DROP). It locks the database, so that new connections wait, and
 * then gives sessions in it five seconds to leave: meanwhile they are ended, on a connection of its own, by a function
 * of the master user. Without that function they have to leave by themselves.
 *
 * @throws NotReadyError when they do not end: those of replication or of a superuser, for example.
 */
export async function whileEndingSessions<T>(server: TargetServer, run: () => Promise<T>): Promise<T> {
  const client = await openEnding(server);
  try {
    for (let attempt = 1; ; attempt++) {
      try {
        return await whileEnding(server, client, run);
      } catch (error) {
        if (sqlState(error) !== inUse) throw error;
        if (attempt === attempts) {
          const said = error instanceof Error ? error.message : String(error);
          throw new NotReadyError(`Sessions do not end: ${said}`, { cause: error });
        }
      }
    }
  } finally {
    await client?.end().catch(() => undefined);
  }
}

async function openEnding(server: TargetServer): Promise<Client | undefined> {
  try {
    return await openTarget(server, restoresDatabase);
  } catch (error) {
    // A connection's own error may wrap what the server said.
    const cause = error instanceof Error ? error.cause : undefined;
    if (sqlState(error) === noSuchDatabase || sqlState(cause) === noSuchDatabase) return undefined;
    throw error;
  }
}

async function whileEnding<T>(
  { clock }: TargetServer,
  client: Client | undefined,
  run: () => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const end = async (): Promise<void> => {
    while (client !== undefined && !over.signal.aborted) {
      await client.query(`SELECT ${workSchema}.end_sessions()`);
      await clock.sleep(pollMs, over.signal);
    }
  };
  const ending = end().catch(() => undefined);
  try {
    return await run();
  } finally {
    over.abort();
    await ending;
  }
}
