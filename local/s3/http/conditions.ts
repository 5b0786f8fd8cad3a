import type { RestResponse } from '../../aws/api.ts';
import { notImplemented, preconditionFailed } from '../errors.ts';
import type { WriteCondition } from '../store/object-store.ts';
import { quoted, unquoted } from './answers.ts';
import type { S3Call } from './call.ts';

/** The entity tag and time that a read's conditions are about. */
interface Validators {
  etag: string;
  createdAt: number;
}

/**
 * Checks the conditions of a read, in the precedence of RFC 9110: an entity tag that is asked for
 * makes the date beside it irrelevant.
 *
 * @param prefix of the headers: empty, or `x-amz-copy-source-` for the source of a copy.
 * @returns the answer 304, or undefined when the read goes on.
 * @throws `PreconditionFailed` (412).
 */
export function checkReadConditions(
  call: S3Call,
  { etag, createdAt }: Validators,
  prefix = '',
): RestResponse | undefined {
  const modified = Math.floor(createdAt / 1000) * 1000;
  const ifMatch = call.header(`${prefix}if-match`);
  if (ifMatch !== undefined) {
    if (!matches(ifMatch, etag)) throw preconditionFailed('If-Match');
  } else {
    const since = time(call.header(`${prefix}if-unmodified-since`));
    if (since !== undefined && modified > since) throw preconditionFailed('If-Unmodified-Since');
  }
  const ifNoneMatch = call.header(`${prefix}if-none-match`);
  const since = time(call.header(`${prefix}if-modified-since`));
  const unchanged =
    ifNoneMatch === undefined ? since !== undefined && modified <= since : matches(ifNoneMatch, etag);
  if (!unchanged) return undefined;
  if (prefix !== '')
    throw preconditionFailed(ifNoneMatch === undefined ? 'If-Modified-Since' : 'If-None-Match');
  return {
    status: 304,
    headers: { etag: quoted(etag), 'last-modified': new Date(createdAt).toUTCString() },
  };
}

/** Reads the conditions of a write. @throws `NotImplemented` for an `If-None-Match` other than `*`. */
export function readWriteCondition(call: S3Call): WriteCondition {
  const ifMatch = call.header('if-match');
  const ifNoneMatch = call.header('if-none-match');
  if (ifNoneMatch !== undefined && ifNoneMatch.trim() !== '*') throw notImplemented('If-None-Match');
  return {
    ...(ifMatch !== undefined && { ifMatch: unquoted(ifMatch) }),
    ...(ifNoneMatch !== undefined && { ifNoneMatch: '*' }),
  };
}

function matches(header: string, etag: string): boolean {
  return header.split(',').some((candidate) => candidate.trim() === '*' || unquoted(candidate) === etag);
}

function time(header: string | undefined): number | undefined {
  const milliseconds = Date.parse(header ?? '');
  return Number.isNaN(milliseconds) ? undefined : milliseconds;
}
