import { dynamo } from '../../shared/clients.ts';
import { raiseEpoch } from '../../shared/shards.ts';
import { keptName } from '../catalog/restore-catalog.ts';
import { isoTime } from '../clock.ts';
import { RestoreNotRunningError } from '../errors.ts';
import type { RestoreId } from '../ids.ts';
import { leave } from '../objects/work-objects.ts';
import { planComparison } from './engine/compare.ts';
import { findConflicts } from './engine/conflicts.ts';
import { completeTarget, finishTarget } from './engine/finish-target.ts';
import { maintenanceDatabase, prepareTarget } from './engine/prepare-target.ts';
import { swapDatabase } from './engine/swap-database.ts';
import { withTarget } from './engine/target-session.ts';
import type { RestoreTarget } from './events.ts';
import { type RestoreStores, readPlan, requireRestoring, restoreConnection } from './restore-parts.ts';

/** Bytes of a table that one invocation compares: read at 100 MB/s, they take ten seconds. */
const comparedBytes = 1024 * 1024 * 1024;

/** One shard's database at work. */
export interface DatabaseWork {
  readonly restoreId: RestoreId;
  readonly target: RestoreTarget;
  /** Milliseconds since the epoch: when this invocation begins nothing more. */
  readonly deadline: number;
}

type Outcome = 'done' | 'again';

/** Looks for conflicts and notes them, changing nothing. */
export async function lookAtTarget(
  stores: RestoreStores,
  { restoreId, target }: DatabaseWork,
): Promise<Outcome> {
  await requireRestoring(stores.restores, restoreId);
  const plan = await readPlan(stores.bucket, target);
  const server = { ...stores, connect: restoreConnection(target) };
  const { conflicts, notes } = await withTarget(server, maintenanceDatabase, (client) =>
    findConflicts(client, { restoreId, database: target.database, plan }),
  );
  const own = stores.notes(restoreId);
  await own.putLeftOut(
    target.name,
    'ddl',
    notes.map((reason) => ({ object: 'role', reason, statement: '' })),
  );
  await own.setShard(target.name, { conflicts });
  return 'done';
}

/** Makes the new database and what comes before its rows. */
export async function prepareDatabase(stores: RestoreStores, work: DatabaseWork): Promise<Outcome> {
  const { restoreId, target, deadline } = work;
  const { keys } = await requireRestoring(stores.restores, restoreId);
  const notes = stores.notes(restoreId);
  await notes.setShard(target.name, { stage: 'schema' });
  const plan = await readPlan(stores.bucket, target);
  const deps = { ...stores, place: stores.placeOf(keys), connect: restoreConnection(target), deadline };
  const { outcome } = await prepareTarget(deps, { restoreId, database: target.database, plan });
  if (outcome === 'done') await notes.setShard(target.name, { stage: 'rows' });
  return outcome;
}

/** Does what comes after the rows, and plans the comparison. */
export async function finishDatabase(stores: RestoreStores, work: DatabaseWork): Promise<Outcome> {
  const { restoreId, target, deadline } = work;
  const { name: shard, database } = target;
  const { keys } = await requireRestoring(stores.restores, restoreId);
  const notes = stores.notes(restoreId);
  await notes.setShard(shard, { stage: 'indexes' });
  const plan = await readPlan(stores.bucket, target);
  const deps = { ...stores, place: stores.placeOf(keys), connect: restoreConnection(target), deadline };
  const finished = await finishTarget(deps, { restoreId, database, plan });
  if (finished.outcome === 'again') return 'again';
  // Told only until the database is complete.
  await notes.putLeftOut(shard, 'ddl', finished.leftOut);
  await leave(
    stores.bucket,
    target.comparisonKey,
    await planComparison(deps, database, plan.tables, comparedBytes),
  );
  await completeTarget(deps, database, restoreId);
  await notes.setShard(shard, { stage: 'comparison' });
  return 'done';
}

/** Puts the new database in the place of the platform's, and begins a new epoch of the shard. */
export async function swapInDatabase(
  stores: RestoreStores,
  { restoreId, target }: DatabaseWork,
  shardsTable: string,
): Promise<Outcome> {
  const { name: shard, original, database: restored } = target;
  if (!(await stores.restores.beginSwap(restoreId, isoTime(stores.clock.now())))) {
    throw new RestoreNotRunningError(`Restore ${restoreId} is not running any more: nothing is swapped.`);
  }
  const kept = keptName(original, restoreId);
  const server = { ...stores, connect: restoreConnection(target) };
  const { settingsNotCarried } = await swapDatabase(server, { restoreId, original, restored, kept });
  const notes = stores.notes(restoreId);
  await notes.putLeftOut(
    shard,
    'settings',
    settingsNotCarried.map((setting) => ({
      object: `DATABASE ${original}`,
      reason: 'Only a role with more rights may make this setting.',
      statement: `ALTER DATABASE "${original}" SET ${setting};`,
    })),
  );
  await raiseEpoch(dynamo(), shardsTable, shard, target.epoch);
  await notes.setShard(shard, { stage: 'swap', keptDatabase: kept, database: original, settled: true });
  return 'done';
}
