import type { ProviderKind } from './provider.ts';

/** What an edge says of an answer: whether it was in its cache, and which location it is. */
export interface CacheObservation {
  /** `unknown`: it does not say, or keeps the answer out of its cache. */
  readonly cache: 'hit' | 'miss' | 'unknown';
  readonly location: string | null;
  /** For how long it has been in a cache, in seconds. */
  readonly ageSeconds: number | null;
}

type HeaderOf = (name: string) => string | undefined;

/** Reads the headers by which a provider tells of its cache. */
export function observe(kind: ProviderKind, header: HeaderOf): CacheObservation {
  const age = header('age');
  return {
    ...readers[kind](header),
    ageSeconds: age !== undefined && /^\d{1,10}$/.test(age) ? Number(age) : null,
  };
}

const readers: Record<ProviderKind, (header: HeaderOf) => Omit<CacheObservation, 'ageSeconds'>> = {
  /** `x-cache: Hit from cloudfront`; a RefreshHit has asked the origin, which had nothing new. */
  cloudfront: (header) => {
    const said = header('x-cache')?.toLowerCase() ?? '';
    const cache = said.startsWith('hit') ? 'hit' : /^(miss|refreshhit)/.test(said) ? 'miss' : 'unknown';
    return { cache, location: header('x-amz-cf-pop') ?? null };
  },
  /** `cf-cache-status`, and the location behind the hyphen of `cf-ray`. */
  cloudflare: (header) => {
    const said = header('cf-cache-status')?.toUpperCase() ?? '';
    const cache =
      said === 'HIT' || said === 'STALE' || said === 'UPDATING'
        ? 'hit'
        : said === 'MISS' || said === 'EXPIRED' || said === 'REVALIDATED'
          ? 'miss'
          : 'unknown';
    return { cache, location: header('cf-ray')?.split('-')[1] ?? null };
  },
  /** `x-cache: MISS, HIT`: the last is the edge, the others shield the origin. */
  fastly: (header) => {
    const said = header('x-cache')?.split(',').at(-1)?.trim().toUpperCase();
    const cache = said === 'HIT' ? 'hit' : said === 'MISS' ? 'miss' : 'unknown';
    const served = header('x-served-by')?.split(',').at(-1)?.trim();
    return { cache, location: served?.split('-').at(-1) ?? null };
  },
};
