import type { Freshness, OriginHead } from './freshness.ts';

/** An answer in the cache. */
export interface CachedAnswer extends OriginHead {
  /** As the origin gave it, before it was compressed. */
  origin: OriginHead;
  /** Which distribution or tenant it belongs to. */
  owner: string;
  uri: string;
  tags: ReadonlySet<string>;
  body: Buffer;
  freshness: Freshness;
}

/** What the bookkeeping of an answer takes beside its body, in bytes; an estimate. */
const overheadBytes = 2048;

/** The cache of an edge location: so many bytes, and what was used longest ago goes first. */
export class EdgeCache {
  readonly #maxBytes: number;
  readonly #answers = new Map<string, CachedAnswer>();
  #bytes = 0;
  #generation = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Changes with every removal: an answer that was fetched under an earlier one may be out of date. */
  get generation(): number {
    return this.#generation;
  }

  get(key: string): CachedAnswer | undefined {
    const answer = this.#answers.get(key);
    if (answer !== undefined) {
      this.#answers.delete(key);
      this.#answers.set(key, answer);
    }
    return answer;
  }

  /** Keeps an answer, unless it alone is larger than the cache, or something was removed since `generation`. */
  set(key: string, answer: CachedAnswer, generation: number): boolean {
    this.#drop(key);
    const size = sizeOf(answer);
    if (size > this.#maxBytes || generation !== this.#generation) return false;
    this.#answers.set(key, answer);
    this.#bytes += size;
    for (const oldest of this.#answers.keys()) {
      if (this.#bytes <= this.#maxBytes) break;
      this.#drop(oldest);
    }
    return true;
  }

  /** Removes what fits. Returns how many answers that were. */
  remove(fits: (answer: CachedAnswer) => boolean): number {
    this.#generation += 1;
    const keys = [...this.#answers].flatMap(([key, answer]) => (fits(answer) ? [key] : []));
    for (const key of keys) this.#drop(key);
    return keys.length;
  }

  #drop(key: string): void {
    const answer = this.#answers.get(key);
    if (answer === undefined) return;
    this.#answers.delete(key);
    this.#bytes -= sizeOf(answer);
  }
}

function sizeOf({ body, uri }: CachedAnswer): number {
  return body.length + uri.length + overheadBytes;
}
