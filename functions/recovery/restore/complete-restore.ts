import type { RestoreCatalog } from '../catalog/restore-catalog.ts';
import type { RestoreNotes } from '../catalog/restore-notes.ts';
import type { RestoreRecord } from '../catalog/restore-record.ts';
import { type Clock, isoTime } from '../clock.ts';
import { RestoreNotRunningError } from '../errors.ts';
import type { RestoreId } from '../ids.ts';

/**
 * Ends a restore that is done: its databases are the operator's from now on, those of a drill to be removed by it. Doing it
 * again changes nothing.
 *
 * @throws RestoreNotRunningError
 */
export async function completeRestore(
  deps: { readonly restores: RestoreCatalog; readonly notes: RestoreNotes; readonly clock: Clock },
  restoreId: RestoreId,
): Promise<{ record: RestoreRecord; first: boolean }> {
  const { restores, notes, clock } = deps;
  const before = await restores.get(restoreId);
  const settled = before?.drill !== true;
  for (const { shard } of await notes.shards()) await notes.setShard(shard, { stage: 'done', settled });
  const first = await restores.complete(restoreId, {
    finishedAt: isoTime(clock.now()),
    // Where no database was restored, none was compared; of one tenant's rows there is nothing to compare with.
    ...(before === undefined ||
    before.dryRun ||
    !before.components.includes('database') ||
    before.tenant?.by === 'key'
      ? {}
      : { identical: true }),
  });
  const record = await restores.get(restoreId);
  if (record?.state !== 'completed')
    throw new RestoreNotRunningError(`Restore ${restoreId} is not running any more.`);
  if (settled) await restores.discardDone(restoreId);
  return { record, first };
}
