import { type Column, formatTable } from '../../cli/table.ts';

/** A number as it was measured, and as people read it. */
export interface Figure {
  value: number;
  text: string;
}

/** A cell: text, a figure, or nothing where a candidate has no such number. */
export type Cell = string | Figure | undefined;

/** One table of results. */
export interface Report {
  title: string;
  /** What was measured on, and how; one line each. */
  setting: readonly string[];
  columns: readonly Column[];
  rows: readonly (readonly Cell[])[];
  /** What follows from the numbers: aims that were met or missed, peers that were better. */
  findings: readonly string[];
}

/** Everything of one run. */
export interface Outcome {
  /** Command, machine and versions; one line each. */
  setting: readonly string[];
  reports: readonly Report[];
  /** Peers that were not measured, with what to install. */
  missing: readonly string[];
}

/** Shows a table with its circumstances, for people. */
export function formatReport({ title, setting, columns, rows, findings }: Report): string {
  const text = (cell: Cell) => (typeof cell === 'object' ? cell.text : (cell ?? '–'));
  const table = formatTable(
    columns,
    rows.map((row) => row.map(text)),
  );
  const lines = [title, '═'.repeat(title.length), ...setting, '', table];
  if (findings.length > 0) lines.push('', ...findings.map((finding) => `• ${finding}`));
  return lines.join('\n');
}

/** One run for programs: every row an object, its figures as plain numbers. */
export function toJson({ setting, reports, missing }: Outcome): string {
  const plain = reports.map(({ title, setting: circumstances, columns, rows, findings }) => ({
    title,
    setting: circumstances,
    rows: rows.map((row) =>
      Object.fromEntries(columns.map((column, index) => [column.title, plainValue(row[index])])),
    ),
    findings,
  }));
  return JSON.stringify({ setting, reports: plain, missing }, null, 2);
}

const plainValue = (cell: Cell) => (typeof cell === 'object' ? cell.value : (cell ?? null));
