import type { DrillReport } from './report.ts';

/** The report for people. Whatever is in it as text cannot change its form. */
export function renderMarkdown(report: DrillReport): string {
  const { rpo, rto, backup, restore, verification, error } = report;
  const parts = [
    `# Drill ${report.drillId}: ${report.outcome}`,
    ...(error === null ? [] : [`**${code(error.code)}**: ${text(error.message)}`]),
    table(
      ['', ''],
      [
        ['Asked for by', report.trigger === 'schedule' ? 'the schedule' : text(report.requestedBy ?? '')],
        ['Began', report.startedAt ?? report.createdAt],
        ['Ended', report.finishedAt],
        ['Restore point', code(report.restorePoint)],
        ['Backup', backup === null ? 'none' : `${code(backup.backupId)}, ${duration(backup.ageMs)} old`],
        ['Keys', report.keys],
        ['Scratch databases', report.scratchDatabases],
      ],
    ),
    '## What would be lost (RPO)',
    `${verdict(rpo.measuredMs, rpo.targetMs, rpo.met)}`,
    table(
      ['Shard', 'Newest backup', 'Taken', 'Age'],
      rpo.shards.map(({ shard, backupId, snapshotAt, rpoMs }) => [
        shard,
        backupId === null ? '**none**' : code(backupId),
        snapshotAt ?? '',
        rpoMs === null ? '' : duration(rpoMs),
      ]),
    ),
    '## How long it takes (RTO)',
    `${verdict(rto.measuredMs, rto.targetMs, rto.met)}`,
    table(
      ['Stage', 'Time'],
      rto.stages.map(({ stage, durationMs }) => [stage, duration(durationMs)]),
    ),
    '## What was proven',
    ...(verification === null ? [] : [verificationText(verification)]),
    restore === null ? 'Nothing was restored.' : restoreText(restore),
    ...(restore === null || restore.leftOut.length === 0 ? [] : [leftOutTable(restore)]),
    table(
      ['Shard', 'Check', 'Checked', 'Findings', 'Time'],
      report.checks.map(({ shard, check, checked, findings, durationMs }) => [
        shard,
        check,
        String(checked),
        String(findings),
        duration(durationMs),
      ]),
    ),
    ...(report.findings.length === 0 ? [] : ['## Findings', findingsTable(report)]),
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function verdict(measuredMs: number | null, targetMs: number, met: boolean | null): string {
  if (measuredMs === null) return `Not measured. The target is ${duration(targetMs)}.`;
  return `**${duration(measuredMs)}**, ${met === true ? 'within' : '**over**'} the target of ${duration(targetMs)}.`;
}

const verificationText = ({ reused, reason }: NonNullable<DrillReport['verification']>): string =>
  `Stored objects: ${reused ? 'the earlier verification holds' : 'hashes were compared anew'}. ${text(reason)}`;

function restoreText(restore: NonNullable<DrillReport['restore']>): string {
  const compared =
    restore.identical === true
      ? `${restore.tablesCompared} tables were read again: rows and digests are those of the backup.`
      : 'The restored tables are not proven to be those of the backup.';
  return `Restored into ${code(restore.database)}: ${restore.rows} rows of ${restore.objects} objects. ${compared}`;
}

const leftOutTable = ({ leftOut, leftOutTotal }: NonNullable<DrillReport['restore']>): string =>
  `${leftOutTotal} statements were left out:\n\n${table(
    ['Shard', 'Object', 'Reason'],
    leftOut.map(({ shard, object, reason }) => [shard, text(object), text(reason)]),
  )}`;

function findingsTable({ findings, findingsTotal }: DrillReport): string {
  const rows = findings.map(({ shard, check, object, problem, accepted }) => [
    shard,
    check,
    text(object),
    `${text(problem)}${accepted ? ' (accepted)' : ''}`,
  ]);
  const more = findingsTotal - findings.length;
  return `${table(['Shard', 'Check', 'Object', 'Problem'], rows)}${more > 0 ? `\n\nand ${more} more` : ''}`;
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '';
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Text as it is, on one line: nothing in it is markup. */
export function text(value: string): string {
  return value.replaceAll(/\s+/g, ' ').replaceAll(/[\\`*_{}[\]<>()#|!~&]/g, (found) => `\\${found}`);
}

const code = (value: string): string => `\`${value.replaceAll(/[`|\s]+/g, ' ')}\``;

/** `1 d 2 h`, `3 min 20 s`, `1.3 s`: two units at most. */
export function duration(ms: number): string {
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  const days = Math.floor(seconds / 86_400);
  const hours = Math.floor(seconds / 3_600);
  const minutes = Math.floor(seconds / 60);
  if (days > 0) return `${days} d ${hours % 24} h`;
  if (hours > 0) return `${hours} h ${minutes % 60} min`;
  return `${minutes} min ${seconds % 60} s`;
}
