import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import type { Place } from './book.ts';
import type { CacheResult } from './cached-origin.ts';
import type { AnswerHeaders } from './freshness.ts';

/** A request of a viewer. */
export interface ViewerRequest {
  method: string;
  /** Path and query, as sent. */
  url: string;
  /** For example `1.1`. */
  httpVersion: string;
  headers: IncomingHttpHeaders;
  body: Readable;
  address: string;
  /** Aborted when the viewer goes away. */
  signal: AbortSignal;
}

/** What the edge answers, and what its log says of it. */
export interface ViewerAnswer {
  /** Name of the request: `x-amz-cf-id`. */
  id: string;
  place: Place | undefined;
  status: number;
  headers: AnswerHeaders;
  body: Buffer | Readable;
  result: CacheResult;
  /** For errors, which one it was; else the result. */
  detail: string;
  /** Path and query as the log shows them: without what a signature adds. */
  path: string;
  query: string;
  /** The path pattern of the behavior that served it; `*` is the default behavior. */
  pattern: string | undefined;
}
