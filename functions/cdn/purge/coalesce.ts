import type { PurgeItems } from '../providers/provider.ts';

/**
 * The least that purges the same: nothing twice, nothing that a prefix covers already, and nothing beside everything. Tags stay:
 * what they stand on is known to the edge alone.
 */
export function coalesce({ paths, prefixes, tags, everything }: PurgeItems): PurgeItems {
  if (everything || prefixes.includes('/')) return { paths: [], prefixes: [], tags: [], everything: true };
  const kept: string[] = [];
  // A prefix sorts before all that it covers, and right before the first of them.
  for (const prefix of [...new Set(prefixes)].sort()) {
    const last = kept.at(-1);
    if (last === undefined || !prefix.startsWith(last)) kept.push(prefix);
  }
  return {
    paths: [...new Set(paths)].filter((path) => !covered(path, kept)).sort(),
    prefixes: kept,
    tags: [...new Set(tags)].sort(),
    everything: false,
  };
}

/** Whether one of these prefixes covers a path; they are sorted, and none covers another. */
function covered(path: string, prefixes: readonly string[]): boolean {
  let low = 0;
  let high = prefixes.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((prefixes[middle] ?? '') <= path) low = middle + 1;
    else high = middle;
  }
  const before = prefixes[low - 1];
  return before !== undefined && path.startsWith(before);
}
