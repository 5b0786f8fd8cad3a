import type { IncomingHttpHeaders } from 'node:http';
import type { CachePolicyConfig } from './definition.ts';
import { pickCookies, pickParameters, type RequestTarget } from './request-target.ts';

/** An encoding in which the edge hands out text. */
export type Encoding = 'br' | 'gzip';

/** What of a request decides which copy in the cache it gets; the same goes to the origin. */
export interface CacheSelection {
  key: string;
  /** Path, with the parameters that the policy names: what an invalidation is compared with. */
  uri: string;
  query: string;
  cookie: string;
  /** Headers that the policy names. */
  headers: Readonly<Record<string, string>>;
  /** Encodings that the policy allows and the viewer takes, the preferred one first. */
  encodings: readonly Encoding[];
}

/** Applies a cache policy to a request. `owner` keeps the caches of distributions and tenants apart. */
export function selectionOf(
  owner: string,
  target: RequestTarget,
  headers: IncomingHttpHeaders,
  { ParametersInCacheKeyAndForwardedToOrigin: parameters }: CachePolicyConfig,
): CacheSelection {
  const { QueryStringsConfig, CookiesConfig, HeadersConfig } = parameters;
  const query = pickParameters(
    target.query,
    QueryStringsConfig.QueryStringBehavior,
    QueryStringsConfig.QueryStrings,
  );
  const cookie = pickCookies(headers.cookie ?? '', CookiesConfig.CookieBehavior, CookiesConfig.Cookies);
  const named = Object.fromEntries(
    HeadersConfig.Headers.flatMap((name) => {
      const value = headers[name.toLowerCase()];
      return value === undefined ? [] : [[name.toLowerCase(), String(value)]];
    }),
  );
  const encodings = acceptedEncodings(headers['accept-encoding'] ?? '', {
    br: parameters.EnableAcceptEncodingBrotli,
    gzip: parameters.EnableAcceptEncodingGzip,
  });
  const uri = query === '' ? target.path : `${target.path}?${query}`;
  const key = JSON.stringify([owner, uri, cookie, Object.entries(named).sort(), encodings]);
  return { key, uri, query, cookie, headers: named, encodings };
}

/** The encodings of an Accept-Encoding header that are enabled: CloudFront makes all spellings of them one. */
function acceptedEncodings(header: string, enabled: Readonly<Record<Encoding, boolean>>): Encoding[] {
  const accepted = new Set<string>();
  for (const part of header.split(',')) {
    const [name = '', ...parameters] = part.split(';').map((text) => text.trim().toLowerCase());
    const weight = parameters.find((parameter) => parameter.startsWith('q='));
    if (weight === undefined || Number(weight.slice(2)) > 0) accepted.add(name);
  }
  const encodings: readonly Encoding[] = ['br', 'gzip'];
  return encodings.filter((encoding) => enabled[encoding] && (accepted.has(encoding) || accepted.has('*')));
}
