import type { Client } from 'pg';
import { restoresDatabase } from '../../../bootstrap/restores-sql.ts';
import { NotReadyError, RestoreConflictError } from '../../errors.ts';
import type { RestoreId } from '../../ids.ts';
import { sqlState } from '../../snapshot/sql.ts';
import { workSchema } from './steps.ts';
import { openTarget, type TargetServer } from './target-session.ts';

export interface Swap {
  readonly restoreId: RestoreId;
  /** Name of the database that is replaced, and of its replacement afterwards. */
  readonly original: string;
  /** What replaces it; `completeTarget` was called for it. */
  readonly restored: string;
  /** What the replaced one is called afterwards. It then belongs to mainstay_restore, and carries the restore's mark. */
  readonly kept: string;
}

export interface Swapped {
  /** Settings of the database (`name = value`) that the master user may not make; they have to be made by hand. */
  readonly settingsNotCarried: readonly string[];
}

const inUse = '55006';
const attempts = 5;
const pollMs = 200;

/**
 * Puts a restored database in the place of another, in one transaction. Sessions in both are ended; connections that are
 * made meanwhile wait, fail, and are in the new one when they try again. Doing it again changes nothing. The same function
 * undoes it: `restored` is then the kept one, and `kept` a new name.
 *
 * @throws RestoreConflictError when one of the databases is not what it has to be; NotReadyError when sessions
 *   do not end, of replication or of a superuser for example. Nothing has been changed then.
 */
export async function swapDatabase(server: TargetServer, swap: Swap): Promise<Swapped> {
  const [swapping, ending] = await openBoth(server);
  try {
    for (let attempt = 1; ; attempt++) {
      try {
        return await whileEnding(server, ending, () => callSwap(swapping, swap));
      } catch (error) {
        const said = error instanceof Error ? error.message : String(error);
        const state = sqlState(error);
        if (state !== inUse) {
          if (state === undefined) throw error;
          throw new RestoreConflictError(`${swap.original} cannot be replaced: ${said}`, { cause: error });
        }
        if (attempt === attempts) {
          throw new NotReadyError(`Sessions in ${swap.original} or ${swap.restored} do not end: ${said}`, {
            cause: error,
          });
        }
      }
    }
  } finally {
    for (const client of [swapping, ending]) await client.end().catch(() => undefined);
  }
}

async function openBoth(server: TargetServer): Promise<[Client, Client]> {
  try {
    const swapping = await openTarget(server, restoresDatabase);
    await swapping.query('SET synchronous_commit = on');
    return [swapping, await openTarget(server, restoresDatabase)];
  } catch (error) {
    if (sqlState(error) !== '3D000') throw error;
    throw new RestoreConflictError(
      `There is no database "${restoresDatabase}", which databases are replaced with: the bootstrap has not been run.`,
      { cause: error },
    );
  }
}

async function callSwap(client: Client, { restoreId, original, restored, kept }: Swap): Promise<Swapped> {
  const { rows } = await client.query<{ missing: string[] }>(
    `SELECT ${workSchema}.swap_database($1, $2, $3, $4) AS missing`,
    [restoreId, original, restored, kept],
  );
  return { settingsNotCarried: rows[0]?.missing ?? [] };
}

/** While `work` waits for sessions to end, has them ended. */
async function whileEnding<T>({ clock }: TargetServer, client: Client, work: () => Promise<T>): Promise<T> {
  const over = new AbortController();
  const end = async (): Promise<void> => {
    while (!over.signal.aborted) {
      await client.query(`SELECT ${workSchema}.end_sessions()`);
      await clock.sleep(pollMs, over.signal);
    }
  };
  const ending = end().catch(() => undefined);
  try {
    return await work();
  } finally {
    over.abort();
    await ending;
  }
}
