import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { copySql } from '../../../functions/recovery/chunks/copy-sql.ts';
import { maxTablesPerItem, type PlannedTable, planChunks } from '../../../functions/recovery/chunks/plan.ts';
import { coverageProblem } from '../../../functions/recovery/chunks/ranges.ts';

const blockBytes = 8192;
const tables = fc
  .array(fc.record({ blocks: fc.nat(50_000), toast: fc.nat(200_000_000) }), { maxLength: 60 })
  .map((sizes): PlannedTable[] =>
    sizes.map(({ blocks, toast }, n) => ({
      oid: 16_384 + n,
      schema: 'public',
      name: `t${n}`,
      blocks,
      bytes: blocks * blockBytes + (blocks > 0 ? toast : 0),
    })),
  );
const target = fc.integer({ min: 1, max: 512 }).map((mib) => mib * 1024 * 1024);

describe('the plan of chunks', () => {
  it('covers every block of every table exactly once, and whatever comes after the last', () => {
    fc.assert(
      fc.property(tables, target, (all, targetBytes) => {
        const ranges = planChunks(all, targetBytes).flatMap((work) => work.ranges);
        for (const { oid } of all) {
          expect(coverageProblem(ranges.filter((range) => range.oid === oid))).toBeUndefined();
        }
        expect(new Set(ranges.map(({ oid }) => oid)).size).toBe(all.length);
      }),
    );
  });

  it('keeps items near the target, and small tables together', () => {
    fc.assert(
      fc.property(tables, target, (all, targetBytes) => {
        const sizes = new Map(all.map((table) => [table.oid, table]));
        for (const { ranges } of planChunks(all, targetBytes)) {
          expect(ranges.length).toBeLessThanOrEqual(maxTablesPerItem);
          if (ranges.length === 1) continue;
          const bytes = ranges.reduce((sum, { oid }) => sum + (sizes.get(oid)?.bytes ?? 0), 0);
          expect(bytes).toBeLessThanOrEqual(targetBytes);
        }
        const items = planChunks(all, targetBytes).map(({ item }) => item);
        expect(items).toEqual(items.map((_, index) => index));
      }),
    );
  });

  it('divides by heap and TOAST together, into ranges of equal length', () => {
    const wide = { oid: 1, schema: 's', name: 't', blocks: 100, bytes: 40 * 1024 * 1024 };
    const ranges = planChunks([wide], 10 * 1024 * 1024).map(({ ranges: [range] }) => [
      range?.fromBlock,
      range?.toBlock,
    ]);
    expect(ranges).toEqual([
      [0, 25],
      [25, 50],
      [50, 75],
      [75, null],
    ]);
  });
});

describe('coverage', () => {
  it('names the first block that is missing or there twice', () => {
    expect(coverageProblem([])).toBe('blocks from 0 on are missing');
    expect(coverageProblem([{ fromBlock: 0, toBlock: 10 }])).toBe('blocks from 10 on are missing');
    expect(coverageProblem([{ fromBlock: 3, toBlock: null }])).toBe('blocks 0 to 2 are missing');
    expect(
      coverageProblem([
        { fromBlock: 5, toBlock: null },
        { fromBlock: 0, toBlock: 6 },
      ]),
    ).toBe('block 5 is covered twice');
    expect(
      coverageProblem([
        { fromBlock: 0, toBlock: null },
        { fromBlock: 0, toBlock: null },
      ]),
    ).toBe('block 0 is covered twice');
  });
});

describe('the COPY of a range', () => {
  const range = { oid: 1, schema: 'a"b', name: "t'; DROP TABLE x", fromBlock: 0, toBlock: null };

  it('quotes whatever names there are, and asks for no more than its blocks', () => {
    expect(copySql(range, { columns: ['x', 'y"z'], condition: '' })).toBe(
      `COPY (SELECT "x", "y""z" FROM ONLY "a""b"."t'; DROP TABLE x") TO STDOUT`,
    );
    expect(copySql({ ...range, fromBlock: 8, toBlock: 16 }, { columns: ['x'], condition: '' })).toContain(
      ` WHERE ctid >= '(8,0)'::tid AND ctid < '(16,0)'::tid`,
    );
  });

  it('has no columns where the table has none, and an extension’s condition where there is one', () => {
    expect(copySql(range, { columns: [], condition: '' })).toContain('COPY (SELECT  FROM ONLY');
    expect(copySql(range, { columns: ['x'], condition: 'WHERE x > 1 OR x < 0' })).toContain(
      ' WHERE (x > 1 OR x < 0)',
    );
  });
});
