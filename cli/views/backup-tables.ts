import type { Backup, BackupSummary } from '../../functions/recovery/model.ts';
import { formatTable } from '../table.ts';
import { formatBytes, formatDuration } from '../units.ts';
import { formatInstant } from './instant.ts';

const right = 'right' as const;

/** Backups, one on each line; fits into 80 columns. */
export function backupsTable(backups: readonly BackupSummary[]): string {
  return formatTable(
    [
      { title: 'backup' },
      { title: 'state' },
      { title: 'type' },
      { title: 'taken (UTC)' },
      { title: 'rows', align: right },
      { title: 'stored', align: right },
    ],
    backups.map((backup) => [
      backup.id,
      soundness(backup),
      backup.tenant === null ? backup.type : 'tenant',
      formatInstant(backup.createdAt),
      backup.rows?.toLocaleString('en') ?? '',
      backup.sizeBytes === null ? '' : formatBytes(backup.sizeBytes),
    ]),
  );
}

/** What a backup holds of each shard, and of all. */
export function shardsTable(backup: Backup): string {
  const { progress } = backup;
  return formatTable(
    [
      { title: 'shard' },
      { title: 'tables', align: right },
      { title: 'rows', align: right },
      { title: 'read', align: right },
      { title: 'stored', align: right },
      { title: 'ratio', align: right },
    ],
    [
      ...backup.shardDetails.map(({ shard, relations, rows, bytesRead, bytesStored }) => [
        shard,
        String(relations ?? ''),
        rows.toLocaleString('en'),
        formatBytes(bytesRead),
        formatBytes(bytesStored),
        (bytesRead / Math.max(1, bytesStored)).toFixed(2),
      ]),
      [
        `all, in ${formatDuration(backup.durationMs ?? 0)}`,
        '',
        (backup.rows ?? 0).toLocaleString('en'),
        formatBytes(progress.bytesRead),
        formatBytes(progress.bytesStored),
        (progress.ratio ?? 1).toFixed(2),
      ],
    ],
  );
}

function soundness({ state, verified, verification }: BackupSummary): string {
  if (state !== 'completed') return state;
  if (verified) return 'verified';
  return (verification?.findings ?? 0) > 0 ? 'damaged' : 'not verified';
}
