import { monotonicFactory } from 'ulid';

const next = monotonicFactory();

/** A new ULID: 26 characters that sort by time, also within one millisecond of one process. */
export function newId(now: Date = new Date()): string {
  return next(now.getTime());
}
