import type { BlockRange, ChunkWork } from '../workflow.ts';

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
 */
export function planChunks(tables: readonly PlannedTable[], targetBytes: number): ChunkWork[] {
  const large = tables.filter((table) => table.bytes > targetBytes && table.blocks > 1);
  const small = tables.filter((table) => !large.includes(table));
  const groups = [...large.flatMap((table) => rangesOf(table, targetBytes).map((range) => [range]))];
  groups.push(...groupSmall(small, targetBytes));
  return groups.map((ranges, item) => ({ item, ranges }));
}

/** Ranges of equal length: no short one at the end. */
function rangesOf(table: PlannedTable, targetBytes: number): BlockRange[] {
  const count = Math.min(table.blocks, Math.ceil(table.bytes / targetBytes));
  const length = Math.ceil(table.blocks / count);
  const ranges: BlockRange[] = [];
  for (let fromBlock = 0; fromBlock < table.blocks; fromBlock += length) {
    const toBlock = fromBlock + length < table.blocks ? fromBlock + length : null;
    ranges.push(rangeOf(table, fromBlock, toBlock));
  }
  return ranges;
}

function groupSmall(tables: readonly PlannedTable[], targetBytes: number): BlockRange[][] {
  const groups: BlockRange[][] = [];
  let group: BlockRange[] = [];
  let bytes = 0;
  for (const table of tables) {
    if (group.length > 0 && (group.length === maxTablesPerItem || bytes + table.bytes > targetBytes)) {
      groups.push(group);
      group = [];
      bytes = 0;
    }
    group.push(rangeOf(table, 0, null));
    bytes += table.bytes;
  }
  if (group.length > 0) groups.push(group);
  return groups;
}

const rangeOf = ({ oid, schema, name }: PlannedTable, fromBlock: number, toBlock: number | null) => ({
  oid,
  schema,
  name,
  fromBlock,
  toBlock,
});

/**
 * Whether `ranges` cover a table from its first block without end, each block once.
 * @returns what is wrong, or nothing.
 */
export function coverageProblem(
  ranges: readonly Pick<BlockRange, 'fromBlock' | 'toBlock'>[],
): string | undefined {
  const sorted = [...ranges].sort((a, b) => a.fromBlock - b.fromBlock);
  let next: number | null = 0;
  for (const { fromBlock, toBlock } of sorted) {
    if (next === null || fromBlock < next) return `block ${fromBlock} is covered twice`;
    if (fromBlock > next) return `blocks ${next} to ${fromBlock - 1} are missing`;
    next = toBlock;
  }
  return next === null ? undefined : `blocks from ${next} on are missing`;
}
