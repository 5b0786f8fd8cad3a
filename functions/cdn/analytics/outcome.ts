/** What the cache did: it had the answer, it fetched it, or it was not asked to keep it (redirects, errors, what bypasses it). */
export const outcomes = ['hit', 'miss', 'other'] as const;
export type Outcome = (typeof outcomes)[number];

const hits = new Set([
  // CloudFront. A refreshed hit has asked the origin whether the copy still holds, and was answered from the copy.
  ...['hit', 'refreshhit', 'originshieldhit'],
  // Cloudflare.
  ...['stale', 'updating', 'revalidated', 'stream_hit'],
]);
const misses = new Set(['miss', 'expired']);

/** What a provider’s word for the cache’s part in an answer means. Fastly’s words have parts, of which the first counts. */
export function outcomeOf(word: string): Outcome {
  const lower = word.toLowerCase();
  const first = lower.split('-', 1)[0] ?? '';
  if (hits.has(lower) || first === 'hit') return 'hit';
  return misses.has(lower) || first === 'miss' ? 'miss' : 'other';
}
