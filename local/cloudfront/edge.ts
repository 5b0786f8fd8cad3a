import { randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { DistributionBook, Place } from './book.ts';
import { selectionOf } from './cache-key.ts';
import { CachedOrigin, type EdgeAnswer } from './cached-origin.ts';
import type { Behavior } from './definition.ts';
import type { EdgeCache } from './edge-cache.ts';
import { accessRefusal, EdgeRefusal } from './edge-errors.ts';
import type { AnswerHeaders } from './freshness.ts';
import { type FetchOrigin, OriginError } from './origin.ts';
import { forwardedHeaders } from './origin-headers.ts';
import { behaviorFor } from './path-pattern.ts';
import { withPolicyHeaders } from './policy-headers.ts';
import { type RequestTarget, splitTarget } from './request-target.ts';
import { refusalOf, withoutSignature } from './signed-access.ts';
import type { ViewerAnswer, ViewerRequest } from './viewer.ts';
import { forViewer } from './viewer-answer.ts';

/** The edge location that every answer names; there is one. */
export const edgeLocation = 'LCL50-P1';

/** Longest target that CloudFront takes, in bytes. */
const longestUrl = 8192;
/** How long an answer for the cache may take, in ms; a viewer that goes away does not end it. */
const fetchTimeoutMs = 60_000;

export interface EdgeOptions {
  book: DistributionBook;
  cache: EdgeCache;
  fetch: FetchOrigin;
  now: () => number;
}

/** A request on its way through a behavior. */
interface Exchange {
  request: ViewerRequest;
  id: string;
  place: Place;
  behavior: Behavior;
  target: RequestTarget;
  /** Where the origin has it: for the root, the default root object. */
  originPath: string;
}

/** One edge location: from a viewer's request to its answer. */
export class Edge {
  readonly #options: EdgeOptions;
  readonly #cached: CachedOrigin;

  constructor(options: EdgeOptions) {
    this.#options = options;
    this.#cached = new CachedOrigin(options.cache, options.now);
  }

  /** Answers a request. Whatever goes wrong becomes an answer. */
  async answer(request: ViewerRequest): Promise<ViewerAnswer> {
    const id = randomBytes(42).toString('base64url');
    const { path, query } = splitTarget(request.url);
    const place = this.#options.book.placeOf(request.headers.host ?? '');
    const logged = { id, place, path, query: withoutSignature(query) };
    try {
      const { answer, behavior } = await this.#serve(request, id, place, { path, query });
      const policy = this.#options.book.headersPolicy(behavior);
      const shown = forViewer(request, answer);
      const headers = policy === undefined ? shown.headers : withPolicyHeaders(shown.headers, policy);
      const pattern = 'PathPattern' in behavior ? behavior.PathPattern : '*';
      return {
        ...logged,
        ...shown,
        headers: this.#signed(id, answer, headers),
        detail: answer.result,
        pattern,
      };
    } catch (error) {
      const refusal = refusalFor(error);
      const answer = { result: 'Error' as const, cacheStatus: `detail=${refusal.detail}` };
      const headers = { 'content-type': refusal.contentType, server: 'CloudFront', date: this.#date() };
      const body = request.method === 'HEAD' ? Buffer.alloc(0) : Buffer.from(refusal.body);
      return {
        ...logged,
        ...{ status: refusal.status, body, result: 'Error', detail: refusal.detail, pattern: undefined },
        headers: this.#signed(id, answer, { ...headers, 'content-length': String(refusal.body.length) }),
      };
    }
  }

  async #serve(
    request: ViewerRequest,
    id: string,
    place: Place | undefined,
    target: RequestTarget,
  ): Promise<{ answer: EdgeAnswer; behavior: Behavior }> {
    if (place === undefined) throw new EdgeRefusal(403, 'No distribution answers under this host name.');
    if (request.url.length > longestUrl) throw new EdgeRefusal(414, 'The request URL is too long.');
    if (!target.path.startsWith('/') || /[^\x21-\x7e]/.test(request.url)) {
      throw new EdgeRefusal(400, 'Bad request.');
    }
    const { config } = place.distribution;
    if (!config.Enabled) throw new EdgeRefusal(403, 'The distribution is not enabled.');
    const isRoot = target.path === '/' && config.DefaultRootObject !== '';
    const path = isRoot ? `/${config.DefaultRootObject}` : target.path;
    const behavior = behaviorFor(config, path);
    if (!behavior.AllowedMethods.some((method) => method === request.method)) {
      throw new EdgeRefusal(403, 'This distribution is not configured to allow the HTTP request method.');
    }
    const exchange: Exchange = { request, id, place, behavior, target, originPath: path };
    this.#requireSignature(exchange);
    exchange.target = { path: target.path, query: withoutSignature(target.query) };
    const policy = this.#options.book.cachePolicy(behavior);
    const cacheable = request.method === 'GET' || request.method === 'HEAD';
    const answer =
      cacheable && policy.MaxTTL > 0 ? await this.#cacheable(exchange) : await this.#passed(exchange);
    return { answer, behavior };
  }

  #requireSignature({ request, behavior, target }: Exchange): void {
    if (behavior.TrustedKeyGroups.length === 0) return;
    const signed = {
      host: request.headers.host ?? '',
      path: target.path,
      query: target.query,
      cookie: request.headers.cookie ?? '',
      address: request.address,
      now: this.#options.now(),
    };
    const refusal = refusalOf(signed, this.#options.book.keysOf(behavior));
    if (refusal !== undefined) throw accessRefusal(refusal);
  }

  #cacheable(exchange: Exchange): Promise<EdgeAnswer> {
    const { request, place, behavior, target } = exchange;
    const { book, cache } = this.#options;
    const policy = book.cachePolicy(behavior);
    const selection = selectionOf(place.owner, target, request.headers, policy);
    const ask = (method: string, validators: Readonly<Record<string, string>>, signal: AbortSignal) =>
      this.#options.fetch(place.distribution, book.origin(place.distribution, behavior), {
        method,
        url: originUrl(exchange, selection.query),
        headers: { ...forwardedHeaders(exchange, selection), ...validators },
        signal,
      });
    // The answer to HEAD has no body that could be kept.
    if (request.method === 'HEAD' && cache.get(selection.key) === undefined) {
      return ask('HEAD', {}, request.signal).then(passed);
    }
    return this.#cached.get({
      ...{ key: selection.key, owner: place.owner, uri: selection.uri, encodings: selection.encodings },
      policy,
      compress: behavior.Compress,
      tagHeader: place.distribution.config.CacheTagConfig?.HeaderName.toLowerCase(),
      fetch: (validators) => ask('GET', validators, AbortSignal.timeout(fetchTimeoutMs)),
    });
  }

  /** What is never kept goes to the origin as it is. */
  async #passed(exchange: Exchange): Promise<EdgeAnswer> {
    const { request, place, behavior, target } = exchange;
    const hasBody = request.method !== 'GET' && request.method !== 'HEAD';
    const forwarded = behavior.OriginRequestPolicyId === undefined ? '' : target.query;
    const answer = await this.#options.fetch(
      place.distribution,
      this.#options.book.origin(place.distribution, behavior),
      {
        method: request.method,
        url: originUrl(exchange, forwarded),
        headers: forwardedHeaders(exchange, undefined),
        ...(hasBody && { body: request.body }),
        signal: request.signal,
      },
    );
    return passed(answer);
  }

  /** What every answer of an edge location says of itself. */
  #signed(
    id: string,
    { result, ageSeconds, cacheStatus }: Pick<EdgeAnswer, 'result' | 'ageSeconds' | 'cacheStatus'>,
    headers: AnswerHeaders,
  ): AnswerHeaders {
    return {
      ...headers,
      ...(ageSeconds !== undefined && { age: String(ageSeconds) }),
      via: '1.1 local.cloudfront.net (CloudFront)',
      'x-cache': `${result} from cloudfront`,
      'x-amz-cf-pop': edgeLocation,
      'x-amz-cf-id': id,
      'cache-status': `"local-edge"; ${cacheStatus}`,
    };
  }

  #date(): string {
    return new Date(this.#options.now()).toUTCString();
  }
}

/** Path and query for the origin. */
function originUrl({ place, behavior, originPath }: Exchange, query: string): string {
  const origin = place.distribution.config.Origins.find(({ Id }) => Id === behavior.TargetOriginId);
  return `${origin?.OriginPath ?? ''}${originPath}${query === '' ? '' : `?${query}`}`;
}

function passed({
  status,
  headers,
  body,
}: {
  status: number;
  headers: AnswerHeaders;
  body: Readable;
}): EdgeAnswer {
  const result = status >= 400 ? 'Error' : 'Miss';
  return { status, headers, body, result, cacheStatus: `fwd=miss; fwd-status=${status}` };
}

function refusalFor(error: unknown): EdgeRefusal {
  if (error instanceof EdgeRefusal) return error;
  if (error instanceof OriginError) {
    const detail = error.status === 504 ? 'OriginReadError' : 'OriginConnectError';
    return new EdgeRefusal(error.status, `The origin failed: ${error.message}`, { detail });
  }
  const message = error instanceof Error ? error.message : String(error);
  return new EdgeRefusal(500, `The local edge failed: ${message}`);
}
