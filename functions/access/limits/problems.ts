import { Problem } from '../../shared/problem.ts';
import { limitHeaders, type Standing, seconds } from './headers.ts';

/**
 * The answer to a request that was one too many: 429 with `Retry-After`, and the names of the limits that are used up as
 * `violated-policies`, as the IETF draft calls them.
 */
export function tooManyRequests(usedUp: readonly Standing[]): Problem {
  const waitMs = Math.max(...usedUp.map(({ resetMs }) => resetMs));
  const retryAfter = Math.max(1, seconds(waitMs));
  const names = usedUp
    .map(({ limit }) => `\`${limit.name}\` (${limit.requests} in ${seconds(limit.windowMs)} s)`)
    .join(', ');
  const detail =
    usedUp.length === 1 ? `The limit ${names} is used up.` : `These limits are used up: ${names}.`;
  return new Problem('too-many-requests', `${detail} Try again in ${retryAfter} s.`, {
    extensions: { 'violated-policies': usedUp.map(({ limit }) => limit.name) },
    headers: { 'retry-after': String(retryAfter), ...limitHeaders(usedUp) },
  });
}

/** The answer while nobody can tell whether the request is one too many. */
export function cannotCount(cause: unknown): Problem {
  return new Problem('not-available', 'Requests cannot be counted at the moment. Try again.', {
    cause,
    headers: { 'retry-after': '1' },
  });
}
