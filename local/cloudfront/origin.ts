import { Readable } from 'node:stream';
import type { Distribution, Origin } from './definition.ts';
import type { OriginHead } from './freshness.ts';

/** A request on its way to an origin. */
export interface OriginRequest {
  method: string;
  /** Path and query, percent-encoded. */
  url: string;
  headers: Readonly<Record<string, string | string[]>>;
  body?: Readable;
  signal: AbortSignal;
}

export interface OriginAnswer extends OriginHead {
  body: Readable;
}

/** An origin that cannot be reached, or did not answer in time. */
export class OriginError extends Error {
  readonly status: 502 | 504;

  constructor(status: 502 | 504, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'OriginError';
    this.status = status;
  }
}

/**
 * Sends a request to an origin of a distribution.
 *
 * @throws {OriginError} when it cannot be reached or does not answer in time.
 */
export type FetchOrigin = (
  distribution: Distribution,
  origin: Origin,
  request: OriginRequest,
) => Promise<OriginAnswer>;

/** Reads a body into memory, or, when it is longer than `limit` bytes, gives all of it back as a stream. */
export async function collect(body: Readable, limit: number): Promise<Buffer | Readable> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const iterator: AsyncIterator<Buffer> = body.iterator({ destroyOnReturn: false });
  for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
    chunks.push(Buffer.from(next.value));
    bytes += next.value.length;
    if (bytes > limit) return Readable.from(rejoined(chunks, body));
  }
  return Buffer.concat(chunks);
}

async function* rejoined(chunks: readonly Buffer[], rest: Readable): AsyncGenerator<Buffer> {
  yield* chunks;
  yield* rest;
}
