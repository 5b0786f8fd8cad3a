import type { Limits, PurgeItems } from './provider.ts';

export const noItems: PurgeItems = { paths: [], prefixes: [], tags: [], everything: false };

/** Divides a purge into calls that the provider takes, in an order that depends on the purge alone. */
export function planCalls(items: PurgeItems, { perCall }: Pick<Limits, 'perCall'>): PurgeItems[] {
  if (items.everything) return [{ ...noItems, everything: true }];
  return [
    ...chunks(items.prefixes, perCall.prefixes).map((prefixes) => ({ ...noItems, prefixes })),
    ...chunks(items.tags, perCall.tags).map((tags) => ({ ...noItems, tags })),
    ...chunks(items.paths, perCall.paths).map((paths) => ({ ...noItems, paths })),
  ];
}

/** What a call takes of the provider's quota. */
export function needsOf({ paths, prefixes, tags, everything }: PurgeItems): {
  paths: number;
  prefixes: number;
} {
  return { paths: paths.length + tags.length, prefixes: prefixes.length + (everything ? 1 : 0) };
}

function chunks<T>(all: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, index) =>
    all.slice(index * size, (index + 1) * size),
  );
}
