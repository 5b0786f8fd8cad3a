import type { Client } from 'pg';
import { IncompleteBackupError } from '../../errors.ts';
import type { RestoreId } from '../../ids.ts';
import type { VerifyPlace } from '../../objects/verify-object.ts';
import type { ShardPlan } from '../events.ts';
import type { LeftOut } from '../model.ts';
import { DdlSession } from './apply-ddl.ts';
import type { WantedDatabase } from './conflicts.ts';
import { findDatabase } from './marker.ts';
import { readDump } from './read-text.ts';
import type { DumpEntry } from './statements.ts';
import { createSteps, readLeftOut } from './steps.ts';
import { createTarget } from './target-database.ts';
import {
  holdTarget,
  maintenanceDatabase,
  openTarget,
  type TargetServer,
  withTarget,
} from './target-session.ts';

export { maintenanceDatabase } from './target-session.ts';

export interface EngineDependencies extends TargetServer {
  readonly place: VerifyPlace;
  /** Milliseconds since the epoch: when this invocation begins nothing more. */
  readonly deadline: number;
}

/** A restore of one shard. */
export interface TargetWork extends WantedDatabase {
  readonly plan: ShardPlan;
}

export type EngineResult =
  /** Time ran out; the same call goes on where it was. */
  | { readonly outcome: 'again' }
  /** `leftOut`: everything so far. */
  | { readonly outcome: 'done'; readonly leftOut: readonly LeftOut[] };

/** What the plan says of the DDL. */
export const ddlOptions = ({ partial, oneSchema }: Pick<ShardPlan, 'partial' | 'oneSchema'>) => ({
  partial,
  oneSchema,
});

/** Privileges come last: an owner may have taken its own from itself, and still gets its rows. */
export const isPrivilege = ({ type }: Pick<DumpEntry, 'type'>): boolean =>
  type === 'ACL' || type === 'DEFAULT ACL';

/**
 * Makes the database and the DDL that comes before the rows. Doing it again goes on where it was, or changes nothing.
 *
 * @throws RestoreConflictError with nothing changed; RestoreDdlError, NotReadyError, DamagedObjectError, DependencyError
 */
export async function prepareTarget(deps: EngineDependencies, work: TargetWork): Promise<EngineResult> {
  const { database, restoreId, plan } = work;
  const state = await withTarget(deps, maintenanceDatabase, async (client) => {
    await createTarget(client, work);
    return (await findDatabase(client, database))?.marker?.state;
  });
  if (state === 'restored') return { outcome: 'done', leftOut: [] };
  const entries = await readDump(deps.place, plan.preData);
  return alone(deps, database, restoreId, async (client) => {
    await createSteps(client);
    const ddl = await DdlSession.begin(client, { ...deps, ...ddlOptions(plan) });
    if ((await ddl.apply('pre-data', entries, (entry) => !isPrivilege(entry))) === 'again') {
      return { outcome: 'again' };
    }
    return { outcome: 'done', leftOut: await readLeftOut(client) };
  });
}

/** Runs `work` on the only session that changes the database; `again` when another one still does at the deadline. */
export async function alone(
  deps: EngineDependencies,
  database: string,
  restoreId: RestoreId,
  work: (client: Client) => Promise<EngineResult>,
): Promise<EngineResult> {
  const client = await openTarget(deps, database);
  try {
    const found = await findDatabase(client, database);
    if (found?.marker?.restoreId !== restoreId || found.marker.state === 'replaced') {
      throw new IncompleteBackupError(`The database "${database}" is not one that is being restored.`);
    }
    return (await holdTarget(client, deps.clock, deps.deadline)) ? await work(client) : { outcome: 'again' };
  } finally {
    await client.end().catch(() => undefined);
  }
}
