import type { PlannedRange, StoredObject } from '../workflow.ts';
import type { PlannedTable } from './plan.ts';
import { coverageProblem, rangeOf } from './ranges.ts';

/** A table as an earlier backup has it, whose objects may still be what they were. */
export interface PreviousTable {
  /** Heap blocks then: all rows that were seen lay below. */
  readonly blocks: number;
  /** The objects of its rows. */
  readonly objects: readonly StoredObject[];
  /** `xmin` of the snapshot that the rows were seen in, decimal. */
  readonly xmin: string;
}

/**
 * The ranges of a table in the bounds of an earlier backup, each with the object that it may still be. Where
 * the table grew much, its last range ends where it had ended; what comes after is divided anew. Where it shrank, the
 * ranges that are gone become one.
 *
 * @param perChunk blocks in a chunk.
 * @returns nothing when the earlier ranges are of no use.
 */
export function previousRanges(
  table: PlannedTable,
  previous: PreviousTable,
  perChunk: number,
): PlannedRange[] | undefined {
  const parts = partsOf(table, previous);
  const last = parts?.at(-1);
  if (parts === undefined || last === undefined) return undefined;
  const whole = parts.map(({ range, object }) => keep(range, object, previous));
  const { blocks } = table;
  const start = last.range.fromBlock;
  if (start > 0 && blocks <= start) return shrunk(table, parts, previous);
  if (blocks - previous.blocks < perChunk && blocks - start < 2 * perChunk) return whole;
  if (previous.blocks <= start || blocks <= previous.blocks) return start === 0 ? undefined : whole;
  const kept = { ...last.range, toBlock: previous.blocks };
  return [
    ...whole.slice(0, -1),
    keep(kept, last.object, previous),
    ...divide(table, previous.blocks, perChunk),
  ];
}

interface Part {
  readonly range: PlannedRange;
  readonly object: StoredObject;
}

/** The objects in the order of their blocks, if they are all of the table and of no other. */
function partsOf({ oid, schema, name }: PlannedTable, { objects }: PreviousTable): Part[] | undefined {
  const parts = objects
    .flatMap((object) => (object.rows === undefined ? [] : [{ object, range: object.rows.range }]))
    .sort((one, other) => one.range.fromBlock - other.range.fromBlock);
  const isOf = ({ range }: Part) => range.oid === oid && range.schema === schema && range.name === name;
  if (parts.length !== objects.length || !parts.every(isOf)) return undefined;
  return coverageProblem(parts.map(({ range }) => range)) === undefined ? parts : undefined;
}

const keep = (range: PlannedRange, object: StoredObject, { xmin }: PreviousTable): PlannedRange => ({
  ...range,
  previous: { object, xmin },
});

function shrunk(table: PlannedTable, parts: readonly Part[], previous: PreviousTable): PlannedRange[] {
  const there = parts.filter(({ range }) => range.fromBlock === 0 || range.fromBlock < table.blocks);
  const last = there.at(-1)?.range.fromBlock ?? 0;
  return [
    ...there.slice(0, -1).map(({ range, object }) => keep(range, object, previous)),
    rangeOf(table, last, null),
  ];
}

function divide(table: PlannedTable, from: number, perChunk: number): PlannedRange[] {
  const ranges: PlannedRange[] = [];
  for (let fromBlock = from; fromBlock < table.blocks; fromBlock += perChunk) {
    const toBlock = fromBlock + perChunk < table.blocks ? fromBlock + perChunk : null;
    ranges.push(rangeOf(table, fromBlock, toBlock));
  }
  return ranges;
}
