import { setTimeout as sleep } from 'node:timers/promises';
import type { Backup } from '../../functions/recovery/model.ts';
import { ApiError } from '../api-errors.ts';
import type { RecoveryApi } from '../recovery-api.ts';
import { endedText } from '../views/ended.ts';
import { watchBackup } from '../work-bars.ts';
import type { DemoOutput } from './demo-output.ts';

/** How long another backup may take to end before the demo gives up, in milliseconds. */
const otherBackupPatienceMs = 600_000;
/** How long a deletion may take, in milliseconds. */
const deletionPatienceMs = 60_000;

/** Starts a full backup, of all shards where none are named. One backup of a shard runs at a time: another one is waited for. */
export async function startBackup(
  api: RecoveryApi,
  { output }: DemoOutput,
  shards?: readonly string[],
): Promise<string> {
  const deadline = Date.now() + otherBackupPatienceMs;
  for (;;) {
    try {
      return (await api.startBackup(shards, 'full')).id;
    } catch (error) {
      const conflict = error instanceof ApiError && error.status === 409;
      if (!conflict || Date.now() > deadline) throw error;
    }
    const other = (await api.backups(20)).find(({ state }) => state === 'running' || state === 'queued');
    if (other === undefined) await sleep(500);
    else await watchBackup(api, other.id, { output, title: 'waits for another backup' });
  }
}

/** @throws when the backup does not complete. */
export async function followBackup(api: RecoveryApi, out: DemoOutput, id: string): Promise<Backup> {
  const backup = await watchBackup(api, id, { output: out.output, title: 'backup' });
  if (backup.state !== 'completed') {
    throw new Error(endedText(`The backup ${id}`, backup));
  }
  out.done('backup complete, every object read back', backup.durationMs ?? 0);
  return backup;
}

/** Removes a backup, in whatever state it is, and waits until nothing is left of it. */
export async function removeBackup(api: RecoveryApi, out: DemoOutput, id: string): Promise<void> {
  const started = performance.now();
  const { state } = await api.backup(id);
  if (state === 'queued' || state === 'running') {
    await api.cancelBackup(id);
    await api.followBackup(id, () => {});
  }
  await api.deleteBackup(id);
  while (await api.hasBackup(id)) {
    if (performance.now() - started > deletionPatienceMs) {
      throw new Error(`The backup ${id} is still being deleted.`);
    }
    await sleep(100);
  }
  out.done('deleted; everything is as it was', performance.now() - started);
}
