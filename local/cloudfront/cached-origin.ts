import { Readable } from 'node:stream';
import type { Encoding } from './cache-key.ts';
import { tagsOf } from './cache-tags.ts';
import { compressed } from './compression.ts';
import type { CachePolicyConfig } from './definition.ts';
import type { CachedAnswer, EdgeCache } from './edge-cache.ts';
import { type AnswerHeaders, freshnessOf, type OriginHead, type Use } from './freshness.ts';
import { collect, type OriginAnswer, OriginError } from './origin.ts';

/** How the cache came to an answer, in the words of CloudFront's log. */
export type CacheResult = 'Hit' | 'RefreshHit' | 'Miss' | 'Error';

/** An answer for a viewer, before anything of its behavior is added. */
export interface EdgeAnswer extends OriginHead {
  body: Buffer | Readable;
  result: CacheResult;
  /** Seconds since the origin made it, for what came out of the cache. */
  ageSeconds?: number;
  /** What RFC 9211 says about it, without the name of the cache. */
  cacheStatus: string;
}

export interface CacheTarget {
  key: string;
  owner: string;
  uri: string;
  encodings: readonly Encoding[];
  policy: CachePolicyConfig;
  compress: boolean;
  tagHeader: string | undefined;
  /** Asks the origin; the headers make the request conditional. */
  fetch: (validators: Readonly<Record<string, string>>) => Promise<OriginAnswer>;
}

/** Largest answer that is kept, in bytes; a larger one passes through. */
const largestKept = 32 * 1024 * 1024;

/** Headers of a 304 that say something of the stored body, which stays. */
const ofBody = new Set([
  'content-length',
  'content-encoding',
  'content-range',
  'content-type',
  'etag',
  'vary',
]);

/** Answers from the cache, and asks origins for what is not there: once, however many viewers wait for it. */
export class CachedOrigin {
  readonly #cache: EdgeCache;
  readonly #now: () => number;
  readonly #running = new Map<string, Promise<EdgeAnswer>>();

  constructor(cache: EdgeCache, now: () => number) {
    this.#cache = cache;
    this.#now = now;
  }

  /** @throws {OriginError} when the origin fails and the cache has nothing to hand out instead. */
  async get(target: CacheTarget): Promise<EdgeAnswer> {
    for (;;) {
      const kept = this.#cache.get(target.key);
      const use = kept?.freshness.use();
      if (kept !== undefined && use !== undefined && use.state !== 'stale') {
        if (use.state === 'stale while revalidated') this.#refresh(target, kept);
        return hit(kept, use);
      }
      const running = this.#running.get(target.key);
      if (running === undefined) return this.#run(target, kept);
      const { body } = await running.catch(() => ({ body: undefined }));
      // What could not be kept is another viewer's; each asks for itself then.
      if (body === undefined || this.#cache.get(target.key) === undefined)
        return this.#ask(target, undefined);
    }
  }

  /** Fetches anew what is handed out stale meanwhile. */
  #refresh(target: CacheTarget, kept: CachedAnswer): void {
    if (!this.#running.has(target.key)) this.#run(target, kept).catch(() => undefined);
  }

  #run(target: CacheTarget, kept: CachedAnswer | undefined): Promise<EdgeAnswer> {
    const running = this.#ask(target, kept).finally(() => this.#running.delete(target.key));
    this.#running.set(target.key, running);
    return running;
  }

  async #ask(target: CacheTarget, kept: CachedAnswer | undefined): Promise<EdgeAnswer> {
    const { generation } = this.#cache;
    let answer: OriginAnswer;
    try {
      answer = await target.fetch(kept?.freshness.validators() ?? {});
    } catch (error) {
      if (error instanceof OriginError && kept?.freshness.staleIfError()) return stale(kept);
      throw error;
    }
    if (kept !== undefined && answer.status === 304) {
      answer.body.destroy();
      return this.#renewed(target, kept, answer.headers, generation);
    }
    if (kept !== undefined && answer.status >= 500 && kept.freshness.staleIfError()) {
      answer.body.destroy();
      return stale(kept);
    }
    return this.#fetched(target, answer, generation, kept === undefined ? 'uri-miss' : 'stale');
  }

  #renewed(target: CacheTarget, kept: CachedAnswer, news: AnswerHeaders, generation: number): EdgeAnswer {
    const changed = Object.fromEntries(Object.entries(news).filter(([name]) => !ofBody.has(name)));
    const origin = { ...kept.origin, headers: { ...kept.origin.headers, ...changed } };
    const head = { status: kept.status, headers: { ...kept.headers, ...changed } };
    const freshness = freshnessOf(origin, target.policy, this.#now);
    if (freshness !== undefined) {
      this.#cache.set(target.key, { ...kept, ...head, origin, freshness }, generation);
    }
    return { ...head, body: kept.body, result: 'RefreshHit', cacheStatus: 'hit; fwd=stale; fwd-status=304' };
  }

  async #fetched(
    target: CacheTarget,
    answer: OriginAnswer,
    generation: number,
    forwarded: string,
  ): Promise<EdgeAnswer> {
    const result = answer.status >= 400 ? 'Error' : 'Miss';
    const status = `fwd=${forwarded}; fwd-status=${answer.status}`;
    const body = await collect(answer.body, largestKept);
    if (body instanceof Readable) return { ...answer, body, result, cacheStatus: status };
    const origin = { status: answer.status, headers: answer.headers };
    const made = await compressed(origin, body, target.compress ? target.encodings : []);
    const freshness = freshnessOf(origin, target.policy, this.#now);
    const stored =
      freshness !== undefined &&
      this.#cache.set(
        target.key,
        {
          ...made.head,
          body: made.body,
          origin,
          freshness,
          owner: target.owner,
          uri: target.uri,
          tags: tagsOf(target.tagHeader === undefined ? '' : String(answer.headers[target.tagHeader] ?? '')),
        },
        generation,
      );
    const cacheStatus = stored ? `${status}; stored; ttl=${freshness.use().ttlSeconds}` : status;
    return { ...made.head, body: made.body, result, cacheStatus };
  }
}

function hit(kept: CachedAnswer, { ageSeconds, ttlSeconds, state }: Use): EdgeAnswer {
  const detail = state === 'fresh' ? '' : '; detail=stale-while-revalidate';
  return {
    status: kept.status,
    headers: kept.headers,
    body: kept.body,
    result: kept.status >= 400 ? 'Error' : 'Hit',
    ageSeconds,
    cacheStatus: `hit; ttl=${ttlSeconds}${detail}`,
  };
}

/** What is handed out because the origin failed. */
function stale(kept: CachedAnswer): EdgeAnswer {
  const use = kept.freshness.use();
  return { ...hit(kept, use), cacheStatus: `hit; ttl=${use.ttlSeconds}; fwd=stale; detail=stale-if-error` };
}
