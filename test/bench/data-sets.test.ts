import { describe, expect, it } from '@jest/globals';
import { dataSets } from '../../bench/backup/data-sets.ts';

describe('the data of the backup suite', () => {
  it('are the same in every run', () => {
    for (const [index, { tables }] of dataSets(1).entries()) {
      const again = dataSets(1)[index]?.tables[0];
      expect([...(tables[0]?.rows() ?? [])]).toEqual([...(again?.rows() ?? [])]);
    }
  });

  it('have the size that was asked for, and as many columns in every row as the table', () => {
    const [wide] = dataSets(1);
    const rows = [...(wide?.tables[0]?.rows() ?? [])];
    const bytes = rows.reduce((sum, row) => sum + Buffer.byteLength(row), 0);
    expect(bytes).toBeGreaterThanOrEqual(1_000_000);
    expect(bytes).toBeLessThan(1_010_000);
    for (const row of rows) expect(row).toMatch(/^(?:[^\t\n\\]+\t){10}[^\t\n\\]+\n$/);
  });
});
