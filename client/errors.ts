/**
 * What went wrong, for programs:
 * - `invalid-key`, `unknown-kind`, `invalid-position`, `invalid-options`: the caller's own; it will not do later either.
 * - `map-unavailable`: the API has not given a shard map, or none for longer than was allowed.
 * - `busy`: as many wait for a connection as may. Nothing was sent.
 * - `unavailable`: no instance that will do could be reached in time, or the connection broke before a commit was sent. Nothing
 *   was written.
 * - `stale-writer`: the instance has been replaced as the writer. Nothing was written.
 * - `outcome-unknown`: the connection broke while a write or its commit was under way: it may have been done, or not.
 * - `closed`: the client has been closed.
 */
export type ShardErrorCode =
  | 'invalid-key'
  | 'unknown-kind'
  | 'invalid-position'
  | 'invalid-options'
  | 'map-unavailable'
  | 'busy'
  | 'unavailable'
  | 'stale-writer'
  | 'outcome-unknown'
  | 'closed';

const safe = new Set<ShardErrorCode>(['busy', 'unavailable', 'stale-writer', 'map-unavailable']);

/** What this client has to say beside the errors of PostgreSQL, which it passes on as they are. */
export class ShardError extends Error {
  override readonly name = 'ShardError';
  readonly code: ShardErrorCode;

  constructor(code: ShardErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }

  /** Whether nothing was written, so that the same may be tried again without harm. */
  get retryable(): boolean {
    return safe.has(this.code);
  }
}
