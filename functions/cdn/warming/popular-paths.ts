import { TopK } from '../../shared/sketches/top-k.ts';
import { longestKey } from '../analytics/counted-keys.ts';
import { rangeOf } from '../analytics/range.ts';
import { capacities, Traffic } from '../analytics/traffic.ts';
import { type ReaderDependencies, readTraffic } from '../analytics/traffic-reader.ts';
import { InvalidItemError, normalisePath, type QueryStrings } from '../providers/normalise.ts';
import { mostCharacters } from './model.ts';

/**
 * The most wanted paths of the last day, most requests first; fewer where fewer are known, or where one warming has no room
 * for them.
 *
 * @param tenant whose; without one, of all websites together.
 */
export type PopularPaths = (top: number, tenant: string | undefined) => Promise<readonly string[]>;

export interface PopularPathsDependencies extends ReaderDependencies {
  readonly queryStrings: QueryStrings;
  readonly now: () => number;
}

/**
 * Finds popular paths by what analytics count. What was asked for and is no path that an edge has is left out: anybody can ask
 * for anything.
 *
 * @throws DependencyError
 */
export function popularPathsOf({ queryStrings, now, ...reader }: PopularPathsDependencies): PopularPaths {
  return async (top, tenant) => {
    const { at: resets } = await reader.table.resets();
    const { steps } = await readTraffic(reader, rangeOf({}, resets, new Date(now())), tenant, false);
    const traffic = new Traffic();
    for (const step of steps) traffic.merge(step.traffic);
    // Several spellings are one path.
    const paths = new TopK(capacities.paths);
    for (const { key, count } of traffic.paths.entries()) {
      const path = pathOf(key, queryStrings);
      if (path !== undefined) paths.add(path, count);
    }
    let room = mostCharacters;
    return paths
      .top(top)
      .map(({ key }) => key)
      .filter(({ length }) => {
        room -= length;
        return room >= 0;
      });
  };
}

function pathOf(key: string, queryStrings: QueryStrings): string | undefined {
  // It may have been cut.
  if (Buffer.byteLength(key) >= longestKey) return undefined;
  try {
    return normalisePath(key, queryStrings);
  } catch (error) {
    if (error instanceof InvalidItemError) return undefined;
    throw error;
  }
}
