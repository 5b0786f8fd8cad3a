import { NotSupportedError } from './errors.ts';
import type { Abilities, ProviderKind, PurgeItems } from './provider.ts';

/** What each provider can do. */
export const abilitiesOf: Record<ProviderKind, Abilities> = {
  cloudfront: {
    paths: true,
    prefixes: 'any',
    tags: true,
    everything: true,
    website: true,
    soft: false,
    follow: true,
    signedUrls: true,
    locations: true,
  },
  cloudflare: {
    paths: true,
    // By whole segments of the path: `/blog` would be everything below `/blog/`, and not `/blogs`.
    prefixes: 'directories',
    tags: true,
    everything: true,
    website: true,
    soft: false,
    follow: false,
    signedUrls: false,
    locations: false,
  },
  fastly: {
    paths: true,
    prefixes: 'none',
    tags: true,
    everything: true,
    website: false,
    soft: true,
    follow: false,
    signedUrls: false,
    locations: false,
  },
};

/** The kinds of purges that a provider can do, in the words of the API. */
export function supportedBy(abilities: Abilities): string[] {
  const { prefixes, tags, website, soft } = abilities;
  return [
    'paths',
    ...(prefixes === 'any' ? ['prefixes'] : prefixes === 'directories' ? ['prefixes that end with /'] : []),
    ...(tags ? ['tags'] : []),
    'everything',
    ...(website ? ['website'] : []),
    ...(soft ? ['soft'] : []),
  ];
}

/**
 * Checks what is asked against what the provider can do.
 *
 * @throws NotSupportedError naming the field of the request.
 */
export function requireAble(
  kind: ProviderKind,
  abilities: Abilities,
  { prefixes, tags, everything }: PurgeItems,
  { soft, site }: { readonly soft: boolean; readonly site: boolean },
): void {
  const cannot = (field: string, what: string): never => {
    throw new NotSupportedError(field, `${kind} ${what}.`);
  };
  if (prefixes.length > 0 && abilities.prefixes === 'none') cannot('prefixes', 'has no purge by prefix');
  if (abilities.prefixes === 'directories' && prefixes.some((prefix) => !prefix.endsWith('/'))) {
    cannot('prefixes', 'purges by whole segments of a path: a prefix has to end with /');
  }
  if (tags.length > 0 && !abilities.tags) cannot('tags', 'has no purge by tag');
  if (soft && !abilities.soft) cannot('soft', 'removes what is purged, and cannot mark it as stale');
  if (soft && everything) cannot('soft', 'cannot mark everything as stale');
  if (site && everything && !abilities.website) cannot('website', 'has no purge of one website of a service');
}
