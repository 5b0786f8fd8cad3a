import { PassThrough } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { createProgressBar } from '../../cli/progress-bar.ts';
import { formatTable } from '../../cli/table.ts';
import { formatBytes, formatDuration } from '../../cli/units.ts';

describe('numbers for people', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 kB'],
    [999_949, '999.9 kB'],
    [999_999, '1.0 MB'],
    [12_345_678, '12.3 MB'],
    [4.2e18, '4200.0 PB'],
  ])('writes %d bytes as %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text));

  it.each([
    [0, '0 ms'],
    [999, '999 ms'],
    [12_345, '12.3 s'],
    [59_990, '1 min 00 s'],
    [245_000, '4 min 05 s'],
    [7_380_000, '2 h 03 min'],
  ])('writes %d ms as %s', (duration, text) => expect(formatDuration(duration)).toBe(text));
});

describe('a table', () => {
  it('is as wide as its widest cells, with numbers to the right', () => {
    const table = formatTable(
      [{ title: 'name' }, { title: 'size', align: 'right' }],
      [
        ['shard-a', '1 B'],
        ['b', '100 MB'],
      ],
    );
    expect(table).toBe('  name       size\n  ───────  ──────\n  shard-a     1 B\n  b        100 MB');
  });
});

describe('a progress bar', () => {
  function shown(isTTY: boolean): string {
    const output = Object.assign(new PassThrough(), { isTTY, columns: 80 });
    const bar = createProgressBar(output, 'backup');
    for (const fraction of [undefined, 0.1, 0.26, 0.3, 0.8, 1]) bar.update(fraction, `${fraction}`);
    bar.end();
    return output.read().toString();
  }

  it('prints a line per quarter into a pipe, without control characters', () => {
    expect(shown(false)).toBe('  backup  25%  0.26\n  backup  75%  0.8\n  backup 100%  1\n');
  });

  it('redraws one line on a terminal', () => {
    const text = shown(true);
    expect(text).not.toContain('\n');
    const states = text.split('\r\u001b[2K').map(stripVTControlCharacters);
    expect(states[3]).toBe(`  backup ${'█'.repeat(7)}${'░'.repeat(21)}  26%  0.26`);
    expect(states.at(-1)).toBe('');
    for (const state of states) expect(state.length).toBeLessThan(80);
  });
});
