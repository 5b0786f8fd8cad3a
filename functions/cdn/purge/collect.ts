import { InvalidItemError, longestPath, normalisePath } from '../providers/normalise.ts';
import type { Abilities, PurgeItems } from '../providers/provider.ts';
import { coalesce } from './coalesce.ts';
import { mostCharacters, mostItems } from './model.ts';

/** What changes within a window is one purge; milliseconds. */
export const windowMs = 30_000;
/** How long a function may take from looking at the clock until its change is noted, in milliseconds. */
export const lateMs = 15_000;
/** More directories than that at once, and everything is purged: that many prefixes may be in progress. */
const mostDirectories = 15;

export const windowOf = (now: number): number => Math.floor(now / windowMs);
/** When all changes of a window have been noted. */
export const collectedAt = (window: number): number => (window + 1) * windowMs + lateMs;

/** The paths under which an object is served: its key, and the directory itself of the page that stands for it. */
export function pathsOfKey(key: string): string[] {
  const encoded = key.split('/').map(encodeURIComponent).join('/');
  const paths = key === 'index.html' ? ['/', '/index.html'] : [`/${encoded}`];
  return paths.flatMap((path) => {
    try {
      return path.length > longestPath ? [] : [normalisePath(path.replaceAll('*', '%2A'), 'ignored')];
    } catch (error) {
      // No viewer can ask for it either.
      if (error instanceof InvalidItemError) return [];
      throw error;
    }
  });
}

/** What a window purges: its paths, or where they are too many, the directories they are in, or everything. */
export function itemsOfChanges(
  paths: readonly string[],
  more: boolean,
  { prefixes }: Pick<Abilities, 'prefixes'>,
): PurgeItems {
  const characters = paths.reduce((sum, path) => sum + path.length, 0);
  const exact = coalesce({ paths, prefixes: [], tags: [], everything: false });
  if (!more && exact.paths.length <= mostItems && characters <= mostCharacters) return exact;
  const directories = [...new Set(paths.map((path) => /^\/[^/]*\/|^\//.exec(path)?.[0] ?? '/'))];
  const fits = !more && prefixes !== 'none' && directories.length <= mostDirectories;
  return coalesce({ paths: [], prefixes: fits ? directories : [], tags: [], everything: !fits });
}
