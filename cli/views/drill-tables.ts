import type { Drill } from '../../functions/recovery/drill/model.ts';
import type { DrillReport } from '../../functions/recovery/drill/report.ts';
import { formatTable } from '../table.ts';
import { formatDuration } from '../units.ts';

const right = 'right' as const;

/** What a drill has measured, beside what it is measured by. */
export function drillTable({ rpo, rto, restore, checks, findingsTotal }: DrillReport): string {
  const measured = (name: string, { measuredMs, targetMs, met }: DrillReport['rpo' | 'rto']) => [
    name,
    measuredMs === null ? '-' : formatDuration(measuredMs),
    formatDuration(targetMs),
    met === null ? 'not measured' : met ? 'within the target' : 'over the target',
  ];
  const checked = checks.reduce((total, check) => total + check.checked, 0);
  return formatTable(
    [
      { title: 'drill' },
      { title: 'measured', align: right },
      { title: 'target', align: right },
      { title: '' },
    ],
    [
      measured('would be lost (RPO)', rpo),
      measured('restored and proven in (RTO)', rto),
      ...rto.stages.map(({ stage, durationMs }) => [`  ${stage}`, formatDuration(durationMs), '', '']),
      ...(restore === null
        ? []
        : [
            [
              'rows restored',
              restore.rows.toLocaleString('en'),
              '',
              restore.identical === true ? 'identical to the backup' : 'not compared',
            ],
          ]),
      ['keys, indexes, sequences, assertions', String(checked), '', `${findingsTotal} findings`],
    ],
  );
}

/** What the checks of a drill have found, a line for each. */
export function drillFindingsText({ findings, findingsTotal }: Drill): string {
  const lines = findings.map(
    ({ shard, object, problem, accepted }) =>
      `  ${shard}: ${object}: ${problem}${accepted ? ' (accepted)' : ''}`,
  );
  const more = findingsTotal - findings.length;
  return [...lines, ...(more > 0 ? [`  and ${more} more`] : [])].join('\n');
}
