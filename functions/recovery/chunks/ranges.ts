import type { BlockRange } from '../workflow.ts';

/** A range of a table; `toBlock` `null`: to its end. */
export const rangeOf = (
  { oid, schema, name }: Pick<BlockRange, 'oid' | 'schema' | 'name'>,
  fromBlock: number,
  toBlock: number | null,
): BlockRange => ({ oid, schema, name, fromBlock, toBlock });

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
