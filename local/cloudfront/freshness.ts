import CachePolicy from 'http-cache-semantics';
import type { CachePolicyConfig } from './definition.ts';

/** Headers of an answer, by lower-case name. */
export type AnswerHeaders = Readonly<Record<string, string | string[]>>;

/** An answer of an origin, without its body. */
export interface OriginHead {
  status: number;
  headers: AnswerHeaders;
}

/** How long errors are kept that CloudFront always keeps, in seconds. */
const errorSeconds = 10;
/** Errors that CloudFront keeps, whatever the origin says; 400, 403, 405, 412 and 415 only when it says how long. */
const keptErrors = new Set([404, 414, 500, 501, 502, 503, 504]);
const keptOnRequest = new Set([400, 403, 405, 412, 415]);
const keptAnswers = new Set([200, 203, 204, 300, 301, 302, 307, 308]);

const request = { url: '/', method: 'GET', headers: {} };

/** What a kept answer may be used for at a moment. */
export interface Use {
  /** Fresh; stale but good while it is fetched anew; or to be compared with the origin first. */
  state: 'fresh' | 'stale while revalidated' | 'stale';
  /** Whole seconds since the origin made it. */
  ageSeconds: number;
  /** Whole seconds for which it stays fresh; below zero when it is stale. */
  ttlSeconds: number;
}

/** How long one answer may be kept. */
export interface Freshness {
  use(): Use;
  /** Whether it may be handed out although the origin failed. */
  staleIfError(): boolean;
  /** What makes a request conditional. */
  validators(): Readonly<Record<string, string>>;
}

/**
 * How long the edge keeps an answer: as RFC 9111 and RFC 5861 have it, within the bounds of the cache policy.
 *
 * @returns undefined when it must not be kept.
 * @see https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/Expiration.html
 */
export function freshnessOf(
  answer: OriginHead,
  policy: Pick<CachePolicyConfig, 'MinTTL' | 'DefaultTTL' | 'MaxTTL'>,
  now: () => number,
): Freshness | undefined {
  const origin = new CachePolicy(
    request,
    { status: 200, headers: plain(answer.headers) },
    { cacheHeuristic: 0 },
  );
  const control = directives(answer.headers);
  const forbidden = !origin.storable() || control.has('no-cache');
  const says = control.has('max-age') || control.has('s-maxage') || 'expires' in answer.headers;
  const seconds = lifetime(answer.status, { forbidden, says, originSeconds: origin.maxAge() }, policy);
  if (seconds <= 0) return undefined;
  const stale = (name: string) => Math.min(Number(control.get(name) ?? 0) || 0, policy.MaxTTL);
  const kept = new (clocked(now))(
    request,
    {
      status: 200,
      headers: {
        ...plain(answer.headers),
        'cache-control': `public, max-age=${seconds}, stale-while-revalidate=${stale('stale-while-revalidate')}`,
      },
    },
    { cacheHeuristic: 0 },
  );
  return {
    use() {
      const { response, revalidation } = kept.evaluateRequest(request);
      const state =
        response === undefined ? 'stale' : revalidation === undefined ? 'fresh' : 'stale while revalidated';
      const age = Number(kept.responseHeaders().age);
      return { state, ageSeconds: age, ttlSeconds: seconds - age };
    },
    // Without a word from the origin, CloudFront hands out what it has as long as the origin fails.
    staleIfError: () =>
      !control.has('must-revalidate') &&
      !control.has('proxy-revalidate') &&
      (!control.has('stale-if-error') ||
        Number(kept.responseHeaders().age) < seconds + stale('stale-if-error')),
    validators: () => {
      const headers = kept.revalidationHeaders(request);
      return Object.fromEntries(
        Object.entries(headers).flatMap(([name, value]) =>
          value === undefined ? [] : [[name, String(value)]],
        ),
      );
    },
  };
}

function lifetime(
  status: number,
  origin: { forbidden: boolean; says: boolean; originSeconds: number },
  { MinTTL, DefaultTTL, MaxTTL }: Pick<CachePolicyConfig, 'MinTTL' | 'DefaultTTL' | 'MaxTTL'>,
): number {
  if (MaxTTL === 0) return 0;
  const bounded = Math.min(Math.max(origin.originSeconds, MinTTL), MaxTTL);
  if (keptAnswers.has(status)) {
    if (origin.forbidden) return MinTTL;
    return origin.says ? bounded : Math.max(DefaultTTL, MinTTL);
  }
  if (!keptErrors.has(status) && !(keptOnRequest.has(status) && origin.says)) return 0;
  return Math.max(errorSeconds, origin.says && !origin.forbidden ? bounded : 0);
}

/** Cache-Control by name; a directive without a value is the empty text. */
function directives(headers: AnswerHeaders): Map<string, string> {
  const parts = String(headers['cache-control'] ?? '').split(',');
  return new Map(
    parts.map((part) => {
      const [name = '', value = ''] = part.split('=', 2);
      return [name.trim().toLowerCase(), value.trim().replaceAll('"', '')];
    }),
  );
}

/** The headers that decide; `Vary` does not for CloudFront, whose cache key the policy makes. */
function plain({ vary: _, ...headers }: AnswerHeaders): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
  );
}

/** The library's policy under a clock of one's own, which its constructor reads as well. */
function clocked(now: () => number) {
  return class extends CachePolicy {
    now(): number {
      return now();
    }
  };
}
