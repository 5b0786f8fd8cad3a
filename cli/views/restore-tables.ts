import type { Restore, RestorePlan } from '../../functions/recovery/restore/model.ts';
import { formatTable } from '../table.ts';
import { formatBytes, formatDuration } from '../units.ts';

const right = 'right' as const;

/** What was restored of each shard, and how it compares with the backup. */
export function restoreTable({ shardDetails }: Restore): string {
  return formatTable(
    [
      { title: 'shard' },
      { title: 'database' },
      { title: 'rows', align: right },
      { title: 'loaded', align: right },
      { title: 'compared', align: right },
      { title: 'different', align: right },
    ],
    shardDetails.map(({ shard, database, rows, bytesRestored, tablesCompared, differences }) => [
      shard,
      database,
      rows.toLocaleString('en'),
      formatBytes(bytesRestored),
      `${tablesCompared} tables`,
      String(differences.length),
    ]),
  );
}

/** What a dry run says: how much there is to do, and what would stop it. */
export function planText({ objects, rows, bytes, storedBytes, estimatedMs, conflicts }: RestorePlan): string {
  return [
    `  ${objects} objects, ${rows.toLocaleString('en')} rows, ${formatBytes(bytes)} to load ` +
      `(${formatBytes(storedBytes)} stored), about ${formatDuration(estimatedMs)}`,
    ...conflicts.map(({ shard, problem }) => `  ${shard}: ${problem}`),
  ].join('\n');
}

/** What needs the operator's eye after a restore: tables that differ, statements that were left out, databases kept. */
export function remarksText({ shardDetails }: Restore): string {
  return shardDetails
    .flatMap(({ shard, differences, leftOut, keptDatabase }) => [
      ...differences.map(
        ({ table, expectedRows, rows, sameDigest }) =>
          `  ${shard}: ${table} has ${rows} rows of ${expectedRows}${sameDigest ? '' : ', and not the same ones'}`,
      ),
      ...leftOut.flatMap(({ object, reason, statement }) => [
        `  ${shard}: left out ${object}: ${reason}`,
        `    ${statement.replaceAll('\n', '\n    ')}`,
      ]),
      ...(keptDatabase === null ? [] : [`  ${shard}: what it was before is kept as ${keptDatabase}`]),
    ])
    .join('\n');
}
