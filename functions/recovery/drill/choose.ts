import type { BackupCatalog } from '../catalog/backup-catalog.ts';
import type { BackupRecord } from '../catalog/backup-record.ts';
import { BackupNotRunningError, UnknownBackupError, UnknownShardError } from '../errors.ts';
import type { BackupId, ShardName } from '../ids.ts';
import type { RestorePoint } from './model.ts';

/** The most backups that are looked at; one an hour makes so many in a year. */
const maxBackups = 10_000;
const pageSize = 100;

/**
 * The complete backups of databases, newest first. Those that a restore took of what it was about to replace are no
 * restore points: nobody plans to go back to them; a tenant's backup is none of the platform.
 */
export async function listRestorePoints(backups: BackupCatalog): Promise<BackupRecord[]> {
  const found: BackupRecord[] = [];
  let before: string | undefined;
  let seen = 0;
  do {
    const page = await backups.list(pageSize, before, 'completed');
    found.push(...page.backups.filter(isRestorePoint));
    seen += page.backups.length;
    before = page.next;
  } while (before !== undefined && seen < maxBackups);
  return found;
}

const isRestorePoint = ({ type, tenant, trigger, components }: BackupRecord): boolean =>
  type !== 'import' && tenant === undefined && trigger !== 'restore' && components.includes('database');

/** Whether a backup is to be chosen, and not one that is named. */
export const isChoice = (point: RestorePoint): point is 'latest' | 'random' =>
  point === 'latest' || point === 'random';

/**
 * Chooses the backup that is restored.
 *
 * @param points newest first.
 * @param shards that it has to hold; all of its own when it is absent.
 * @param pick a number from 0 to below its argument, each as likely as the other.
 * @throws UnknownBackupError when there is none.
 */
export function chooseRestorePoint(
  points: readonly BackupRecord[],
  wanted: 'latest' | 'random',
  shards: readonly ShardName[] | undefined,
  pick: (below: number) => number,
): BackupRecord {
  const fitting = points.filter((backup) => (shards ?? []).every((shard) => backup.shards.includes(shard)));
  const chosen = wanted === 'latest' ? fitting[0] : fitting[fitting.length === 0 ? 0 : pick(fitting.length)];
  if (chosen !== undefined) return chosen;
  const ofShards = shards === undefined ? '' : ` of ${shards.join(' and ')}`;
  throw new UnknownBackupError(`There is no complete backup${ofShards} that could be restored.`);
}

/**
 * Whether a backup that was asked for by its id can be restored.
 * @throws UnknownBackupError, BackupNotRunningError, UnknownShardError
 */
export async function requireRestorePoint(
  backups: BackupCatalog,
  id: BackupId,
  shards: readonly ShardName[] | undefined,
): Promise<BackupRecord> {
  const backup = await backups.get(id);
  if (backup === undefined) throw new UnknownBackupError('There is no backup of that id.');
  if (backup.state !== 'completed') {
    throw new BackupNotRunningError(`The backup is ${backup.state}: only a completed one can be restored.`);
  }
  if (backup.type === 'import' || !backup.components.includes('database')) {
    throw new BackupNotRunningError('The backup holds no database.');
  }
  if (backup.tenant !== undefined) {
    throw new BackupNotRunningError('The backup is of one tenant: a drill is of the platform.');
  }
  const missing = shards?.find((shard) => !backup.shards.includes(shard));
  if (missing === undefined) return backup;
  throw new UnknownShardError(`The backup has no shard "${missing}". It has: ${backup.shards.join(', ')}.`);
}
