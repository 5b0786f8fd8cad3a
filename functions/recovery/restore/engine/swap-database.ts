import { restoresDatabase } from '../../../bootstrap/restores-sql.ts';
import { RestoreConflictError } from '../../errors.ts';
import type { RestoreId } from '../../ids.ts';
import { sqlState } from '../../snapshot/sql.ts';
import { whileEndingSessions } from './end-sessions.ts';
import { findDatabase } from './marker.ts';
import { workSchema } from './steps.ts';
import { maintenanceDatabase, type TargetServer, withTarget } from './target-session.ts';

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

/**
 * Puts a restored database in the place of another, in one transaction. Sessions in both are ended; connections that are
 * made meanwhile wait, fail, and are in the new one when they try again. Doing it again changes nothing. The same function
 * undoes it: `restored` is then the kept one, and `kept` a new name.
 *
 * @throws RestoreConflictError when one of the databases is not what it has to be, or the bootstrap has not been run;
 *   NotReadyError when sessions do not end. Nothing has been changed then.
 */
export async function swapDatabase(server: TargetServer, swap: Swap): Promise<Swapped> {
  await requireFunctions(server);
  const { restoreId, original, restored, kept } = swap;
  return withTarget(server, restoresDatabase, async (client) => {
    await client.query('SET synchronous_commit = on');
    try {
      const { rows } = await whileEndingSessions(server, () =>
        client.query<{ missing: string[] }>(`SELECT ${workSchema}.swap_database($1, $2, $3, $4) AS missing`, [
          restoreId,
          original,
          restored,
          kept,
        ]),
      );
      return { settingsNotCarried: rows[0]?.missing ?? [] };
    } catch (error) {
      if (!isRefusal(error)) throw error;
      const said = error instanceof Error ? error.message : String(error);
      throw new RestoreConflictError(`${original} cannot be replaced: ${said}`, { cause: error });
    }
  });
}

/** Whether the server said that it will not do it: another try changes nothing. */
const isRefusal = (error: unknown): boolean => /^(42|3D|22|0L|0P)/.test(sqlState(error) ?? '');

async function requireFunctions(server: TargetServer): Promise<void> {
  const found = await withTarget(server, maintenanceDatabase, (client) =>
    findDatabase(client, restoresDatabase),
  );
  if (found !== undefined) return;
  throw new RestoreConflictError(
    `There is no database "${restoresDatabase}", by whose functions databases are replaced: the bootstrap has not been run.`,
  );
}
