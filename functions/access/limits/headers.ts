import type { Limit } from './quota.ts';

/** Names in lower case. */
export type LimitHeaders = Readonly<Record<string, string>>;

/** Where somebody stands under a limit. */
export interface Standing {
  readonly limit: Limit;
  /** Units that are left. */
  readonly left: number;
  /** Until more are, in milliseconds. */
  readonly resetMs: number;
}

/**
 * The headers `RateLimit-Policy` and `RateLimit` of draft-ietf-httpapi-ratelimit-headers-10: the limits that apply and
 * what is left of each, as lists of strings with parameters (RFC 9651). `q` requests in `w` seconds, of which `r` are left
 * and more are in `t` seconds, rounded up. `qu` is left out, for requests are its default; so is `pk`, for nobody is told
 * of other callers. No header where no limit applies.
 */
export function limitHeaders(standings: readonly Standing[]): LimitHeaders {
  if (standings.length === 0) return {};
  return {
    'ratelimit-policy': standings
      .map(({ limit }) => `${text(limit.name)};q=${limit.requests};w=${seconds(limit.windowMs)}`)
      .join(', '),
    ratelimit: standings
      .map(({ limit, left, resetMs }) => `${text(limit.name)};r=${left};t=${seconds(resetMs)}`)
      .join(', '),
  };
}

/** Whole seconds, rounded up: who comes back then does not come too early. */
export const seconds = (ms: number): number => Math.ceil(ms / 1000);

/** A string of a structured field: printable ASCII, with what ends it escaped. */
function text(name: string): string {
  const printable = name
    .toWellFormed()
    .replaceAll(/[^\u0020-\u007e]/gu, (character) => encodeURIComponent(character));
  return `"${printable.replaceAll(/["\\]/g, '\\$&')}"`;
}
