import type { PlatformStatus } from '../platform-status.ts';
import { formatTable } from '../table.ts';
import { type Style, styleFor, type TextOutput } from '../terminal.ts';
import { backupsTable } from './backup-tables.ts';

/** The state of a platform: what it depends on, its latest backups, what is running. */
export function statusText(status: PlatformStatus, output: TextOutput): string {
  const { environment, version, healthy, backups } = status;
  const style = styleFor(output);
  return [
    `  ${environment}, version ${version}: ${healthy ? style('green', 'healthy') : style('red', 'not healthy')}`,
    dependenciesTable(status, style),
    backups.length === 0 ? '  no backups' : backupsTable(backups),
    runningTable(status),
  ].join('\n\n');
}

function dependenciesTable({ dependencies }: PlatformStatus, style: Style): string {
  return formatTable(
    [{ title: 'dependency' }, { title: 'state' }, { title: 'answered in', align: 'right' }],
    dependencies.map(({ name, state, reason, latencyMs }) => [
      name,
      state === 'up' ? style('green', 'up') : style('red', `down: ${reason ?? 'unknown'}`),
      `${latencyMs.toFixed(1)} ms`,
    ]),
  );
}

function runningTable({ running: { backups, restores } }: PlatformStatus): string {
  const done = (part: number, total: number | null) => (total === null ? '…' : `${part} of ${total}`);
  const rows = [
    ...backups.map(({ id, state, progress }) => [
      'backup',
      id,
      state,
      progress.stage,
      done(progress.chunksDone, progress.chunksTotal),
    ]),
    ...restores.map(({ id, state, progress }) => [
      'restore',
      id,
      state,
      progress.stage,
      done(progress.objectsDone, progress.objectsTotal),
    ]),
  ];
  if (rows.length === 0) return '  nothing is running';
  return formatTable(
    [
      { title: 'running' },
      { title: 'id' },
      { title: 'state' },
      { title: 'stage' },
      { title: 'done', align: 'right' },
    ],
    rows,
  );
}
