import type { BlockRange, ChunkWork, PlannedRange } from '../workflow.ts';
import { type PreviousTable, previousRanges } from './previous-ranges.ts';
import { rangeOf } from './ranges.ts';

/** What planning needs to know of a table. */
export interface PlannedTable {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  /** Heap blocks now: at least those that the snapshot sees rows in. */
  readonly blocks: number;
  /** Bytes of heap and TOAST together. */
  readonly bytes: number;
}

/** Most tables that are copied by one work item; each becomes an object of its own. */
export const maxTablesPerItem = 32;

/**
 * Divides tables into work items: a large table into block ranges of about `targetBytes` each, several small
 * ones into one item. The ranges of a table cover every block once; the last has no end, because blocks
 * that were added after the count hold nothing that the snapshot sees, and blocks before hold all.
 *
 * @param previous by oid, the tables of which an earlier backup has objects that may still be what they were: they keep
 *   that backup's ranges.
 */
export function planChunks(
  tables: readonly PlannedTable[],
  targetBytes: number,
  previous: ReadonlyMap<number, PreviousTable> = new Map(),
): ChunkWork[] {
  const groups: PlannedRange[][] = [];
  const small: SmallTable[] = [];
  for (const table of tables) {
    const ranges = rangesOf(table, targetBytes, previous.get(table.oid));
    const [first] = ranges;
    if (ranges.length === 1 && first !== undefined && !isLarge(table, targetBytes)) {
      small.push({ bytes: table.bytes, range: first });
    } else groups.push(...ranges.map((range) => [range]));
  }
  groups.push(...groupSmall(small, targetBytes));
  return groups.map((ranges, item) => ({ item, ranges }));
}

interface SmallTable {
  readonly bytes: number;
  readonly range: PlannedRange;
}

const isLarge = (table: PlannedTable, targetBytes: number): boolean =>
  table.bytes > targetBytes && table.blocks > 1;

function rangesOf(table: PlannedTable, targetBytes: number, previous?: PreviousTable): PlannedRange[] {
  const count = isLarge(table, targetBytes)
    ? Math.min(table.blocks, Math.ceil(table.bytes / targetBytes))
    : 1;
  const perChunk = Math.max(1, Math.ceil(table.blocks / count));
  const kept = previous === undefined ? undefined : previousRanges(table, previous, perChunk);
  return kept ?? newRanges(table, perChunk);
}

/** Ranges of equal length: no short one at the end. */
function newRanges(table: PlannedTable, length: number): BlockRange[] {
  if (table.blocks <= length) return [rangeOf(table, 0, null)];
  const ranges: BlockRange[] = [];
  for (let fromBlock = 0; fromBlock < table.blocks; fromBlock += length) {
    const toBlock = fromBlock + length < table.blocks ? fromBlock + length : null;
    ranges.push(rangeOf(table, fromBlock, toBlock));
  }
  return ranges;
}

function groupSmall(tables: readonly SmallTable[], targetBytes: number): PlannedRange[][] {
  const groups: PlannedRange[][] = [];
  let group: PlannedRange[] = [];
  let bytes = 0;
  for (const table of tables) {
    if (group.length > 0 && (group.length === maxTablesPerItem || bytes + table.bytes > targetBytes)) {
      groups.push(group);
      group = [];
      bytes = 0;
    }
    group.push(table.range);
    bytes += table.bytes;
  }
  if (group.length > 0) groups.push(group);
  return groups;
}
