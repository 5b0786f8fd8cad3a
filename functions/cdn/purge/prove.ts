import type { EdgeAnswer, EdgeRequest } from '../providers/edge-client.ts';
import { EdgeRequestError } from '../providers/edge-request-error.ts';
import type { Check } from './record.ts';

/** Asks the edge. @throws EdgeRequestError */
export type AskEdge = (request: EdgeRequest) => Promise<EdgeAnswer>;

/** How often an edge is asked until it has the content, or until the same location answers. */
const tries = 3;

export const newCheck = (path: string): Check => ({
  path,
  location: null,
  before: null,
  after: null,
  status: null,
  outcome: null,
});

/** Asks until the content is in a cache, and notes where: a MISS afterwards proves something only after a HIT. */
export async function askBefore(ask: AskEdge, domain: string, check: Check): Promise<Check> {
  let found = check;
  for (let round = 0; round < tries && found.before !== 'hit'; round++) {
    const answer = await orNothing(() => ask({ domain, path: check.path, address: found.address }));
    if (answer === undefined) continue;
    const { address, location, cache } = answer;
    found = { ...found, address, location, before: cache };
  }
  return found;
}

/**
 * Asks the same edge again. It is proved by a MISS, or by content that has been in the cache for less time than the purge was:
 * somebody else has asked in between.
 *
 * @param purgedFrom when the first call of the purge was made, and `now`: milliseconds since the epoch.
 */
export async function askAfter(
  ask: AskEdge,
  domain: string,
  check: Check,
  purgedFrom: number,
  now: () => number,
): Promise<Check> {
  if (check.address === undefined) return { ...check, outcome: 'inconclusive' };
  for (let round = 0; round < tries; round++) {
    const { path, address } = check;
    const answer = await orNothing(() => ask({ domain, path, address }));
    if (answer === undefined || answer.location !== check.location) continue;
    const { cache, ageSeconds, status } = answer;
    // The age is in whole seconds: it may be nearly one more.
    const younger = ageSeconds !== null && now() - (ageSeconds + 1) * 1000 >= purgedFrom;
    const after = { ...check, after: cache, status };
    if (cache === 'hit' && !younger) return { ...after, outcome: 'still-cached' };
    const proved = check.before === 'hit' && cache !== 'unknown';
    return { ...after, outcome: proved ? 'confirmed' : 'inconclusive' };
  }
  return { ...check, outcome: 'inconclusive' };
}

/** What the checks of a purge say together: all of them have to be confirmed. */
export function verdict(checks: readonly Check[]): 'pending' | 'confirmed' | 'refuted' | 'inconclusive' {
  if (checks.some(({ outcome }) => outcome === 'still-cached')) return 'refuted';
  if (checks.some(({ outcome }) => outcome === null)) return 'pending';
  return checks.every(({ outcome }) => outcome === 'confirmed') ? 'confirmed' : 'inconclusive';
}

async function orNothing<T>(run: () => Promise<T>): Promise<T | undefined> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof EdgeRequestError) return undefined;
    throw error;
  }
}
