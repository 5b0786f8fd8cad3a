import { stripVTControlCharacters } from 'node:util';

export interface Column {
  title: string;
  /** Default left. */
  align?: 'left' | 'right';
}

/** Lays rows out under their titles, two blanks in; columns are as wide as their widest cell. */
export function formatTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const widths = columns.map(({ title }, index) =>
    Math.max(title.length, ...rows.map((row) => visibleWidth(row[index] ?? ''))),
  );
  const line = (cells: readonly string[]) =>
    columns
      .map(({ align }, index) => {
        const cell = cells[index] ?? '';
        const width = widths[index] ?? 0;
        const blank = ' '.repeat(width - visibleWidth(cell));
        return align === 'right' ? `${blank}${cell}` : `${cell}${blank}`;
      })
      .join('  ')
      .trimEnd();
  const rule = widths.map((width) => '─'.repeat(width)).join('  ');
  return [line(columns.map(({ title }) => title)), rule, ...rows.map(line)]
    .map((text) => `  ${text}`)
    .join('\n');
}

/** Colours take no room. */
function visibleWidth(cell: string): number {
  return stripVTControlCharacters(cell).length;
}
