import type { AnalysisView, Recommendation } from '../../functions/shards/balance/views.ts';
import type { BalanceReport } from '../balance.ts';
import { formatTable } from '../table.ts';
import { type Style, styleFor, type TextOutput } from '../terminal.ts';
import { formatBytes, formatDuration } from '../units.ts';

const right = 'right' as const;
/** Rows that a table shows of long lists. */
const shownSlots = 5;
const shownMoves = 20;

/** How even the shards are, the heaviest slots, and what to move. */
export function balanceText({ analysis, plan }: BalanceReport, output: TextOutput): string {
  const style = styleFor(output);
  return [
    headline(analysis, style),
    shardsTable(analysis, plan),
    slotsTable(analysis),
    plan.explanation.map((line) => `  ${line}`).join('\n'),
    movesTable(plan),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

function headline(
  { variance, balanceScore, overThreshold, analyzedAt, threshold }: AnalysisView,
  style: Style,
): string {
  if (variance === null || balanceScore === null) return '  there is nothing to compare yet';
  const state = overThreshold ? style('red', 'uneven') : style('green', 'even');
  return `  ${state}: variance ${variance.toFixed(3)} (threshold ${threshold}), balance score ${balanceScore.toFixed(3)}, analyzed at ${analyzedAt}`;
}

function shardsTable({ shards }: AnalysisView, plan: Recommendation): string {
  const percent = (share: number | null | undefined) =>
    share == null ? '–' : `${(100 * share).toFixed(1)} %`;
  const kinds = [...new Set(shards.flatMap(({ rows }) => Object.keys(rows)))];
  const known = new Map(shards.map((shard) => [shard.shard, shard]));
  return formatTable(
    [
      { title: 'shard' },
      ...kinds.map((kind) => ({ title: kind, align: right })),
      { title: 'size', align: right },
      { title: 'tuples/s', align: right },
      { title: 'load', align: right },
      { title: 'should be', align: right },
      { title: 'after the plan', align: right },
    ],
    plan.shards.map(({ shard, shareAfter, targetShare }) => {
      const found = known.get(shard);
      return [
        shard,
        ...kinds.map((kind) => (found?.rows[kind] ?? 0).toLocaleString('en')),
        formatBytes(found?.sizeBytes ?? 0),
        (found?.loadPerSecond ?? 0).toFixed(1),
        percent(found?.share),
        percent(targetShare),
        percent(shareAfter),
      ];
    }),
  );
}

function slotsTable({ slots }: AnalysisView): string {
  if (slots.length === 0) return '';
  return formatTable(
    [
      { title: 'heaviest slots', align: right },
      { title: 'shard' },
      { title: 'rows', align: right },
      { title: 'size', align: right },
      { title: 'load', align: right },
    ],
    slots
      .slice(0, shownSlots)
      .map(({ slot, shard, rows, sizeBytes, share }) => [
        String(slot),
        shard,
        sumOf(rows).toLocaleString('en'),
        formatBytes(sizeBytes),
        `${(100 * share).toFixed(2)} %`,
      ]),
  );
}

function movesTable({ moves, total }: Recommendation): string {
  if (moves.length === 0) return '';
  const rows = moves
    .slice(0, shownMoves)
    .map((move) => [
      String(move.order),
      move.slots.map(({ first, last }) => (first === last ? first : `${first}–${last}`)).join(', '),
      `${move.from} → ${move.to}`,
      sumOf(move.rows).toLocaleString('en'),
      formatBytes(move.sizeBytes),
      formatDuration(move.estimatedDurationMs),
      move.varianceAfter.toFixed(3),
    ]);
  const rest = moves.length - rows.length;
  const all = [
    ...['all', rest > 0 ? `and ${rest} more` : '', ''],
    ...[total.rows.toLocaleString('en'), formatBytes(total.sizeBytes)],
    ...[formatDuration(total.estimatedDurationMs), `$${total.estimatedCostUsd.toFixed(2)}`],
  ];
  return formatTable(
    [
      { title: 'move', align: right },
      { title: 'slot' },
      { title: 'from → to' },
      { title: 'rows', align: right },
      { title: 'size', align: right },
      { title: 'takes about', align: right },
      { title: 'variance then', align: right },
    ],
    [...rows, all],
  );
}

const sumOf = (rows: Readonly<Record<string, number>>) =>
  Object.values(rows).reduce((sum, count) => sum + count, 0);
