import type { Restore } from '../../functions/recovery/restore/model.ts';
import type { RecoveryApi } from '../recovery-api.ts';
import { endedText } from '../views/ended.ts';
import { planText, restoreTable } from '../views/restore-tables.ts';
import { watchRestore } from '../work-bars.ts';
import type { DemoOutput } from './demo-output.ts';

/**
 * Restores a backup into new databases and has every table compared.
 *
 * @throws when the restore does not complete, or what it restored is not what was backed up.
 */
export async function followRestore(api: RecoveryApi, out: DemoOutput, id: string): Promise<Restore> {
  const restore = await watchRestore(api, id, { output: out.output, title: 'restore' });
  if (restore.state !== 'completed') {
    throw new Error(endedText(`The restore ${id}`, restore));
  }
  if (restore.dryRun) {
    out.done('restore planned, nothing restored', restore.durationMs ?? 0);
    if (restore.plan !== null) out.say(`\n${planText(restore.plan)}\n`);
    return restore;
  }
  const tables = restore.shardDetails.reduce((sum, { tablesCompared }) => sum + tablesCompared, 0);
  if (restore.identical !== true) {
    throw new Error(`What the restore ${id} restored is not what was backed up:\n${restoreTable(restore)}`);
  }
  out.done(`restored beside the originals: ${tables} tables, all identical`, restore.durationMs ?? 0);
  out.say(`\n${restoreTable(restore)}\n`);
  return restore;
}

/** Ends a restore that is under way or could be resumed; what it has restored is removed by the platform. */
export async function endRestore(api: RecoveryApi, id: string): Promise<Restore> {
  const restore = await api.restore(id);
  const resumable = restore.state === 'failed' && restore.resumableUntil !== null;
  if (restore.state !== 'queued' && restore.state !== 'running' && !resumable) return restore;
  await api.cancelRestore(id);
  return api.followRestore(id, () => {});
}
