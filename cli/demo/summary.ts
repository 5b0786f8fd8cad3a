import type { Backup, Operation } from '../../functions/recovery/model.ts';
import type { Restore } from '../../functions/recovery/restore/model.ts';
import { formatTable } from '../table.ts';
import { formatBytes, formatDuration } from '../units.ts';

const right = 'right' as const;

/** What the demo did: sizes, ratios, rates and times. */
export function summaryTable(backup: Backup, verification: Operation, restore: Restore): string {
  const { bytesRead, bytesStored, ratio } = backup.progress;
  const verified = operationMs(verification);
  const rows = [
    [
      'read from the databases',
      formatBytes(bytesRead),
      '',
      rate(bytesRead, backup.durationMs),
      time(backup.durationMs),
    ],
    ['compressed, encrypted, stored', formatBytes(bytesStored), `${(ratio ?? 1).toFixed(2)} : 1`, '', ''],
    [
      'verified',
      formatBytes(verification.progress.bytesRead),
      '',
      rate(verification.progress.bytesRead, verified),
      time(verified),
    ],
    ...(restore.dryRun
      ? []
      : [
          [
            'restored and compared',
            formatBytes(restore.progress.bytesRestored),
            '',
            rate(restore.progress.bytesRestored, restore.durationMs),
            time(restore.durationMs),
          ],
        ]),
  ];
  return formatTable(
    [
      { title: `${(backup.rows ?? 0).toLocaleString('en')} rows` },
      { title: 'size', align: right },
      { title: 'ratio', align: right },
      { title: 'rate', align: right },
      { title: 'time', align: right },
    ],
    rows,
  );
}

/** How long a verification took, in milliseconds. */
export function operationMs({ createdAt, finishedAt }: Operation): number {
  return finishedAt === null ? 0 : Date.parse(finishedAt) - Date.parse(createdAt);
}

function rate(bytes: number, milliseconds: number | null): string {
  return milliseconds === null ? '' : `${formatBytes((bytes * 1000) / Math.max(1, milliseconds))}/s`;
}

function time(milliseconds: number | null): string {
  return milliseconds === null ? '' : formatDuration(milliseconds);
}
