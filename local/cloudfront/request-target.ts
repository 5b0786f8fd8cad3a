/** Path and query of a request, as they were sent. */
export interface RequestTarget {
  path: string;
  /** Without the question mark. */
  query: string;
}

/** Splits the target of a request line. */
export function splitTarget(url: string): RequestTarget {
  const at = url.indexOf('?');
  return at < 0 ? { path: url, query: '' } : { path: url.slice(0, at), query: url.slice(at + 1) };
}

/** The parameters of a query that a policy names, in their order, as they were sent. */
export function pickParameters(
  query: string,
  behavior: 'none' | 'whitelist' | 'allExcept' | 'all',
  names: readonly string[],
): string {
  if (behavior === 'all') return query;
  if (behavior === 'none') return '';
  return query
    .split('&')
    .filter(
      (part) => part !== '' && names.includes(part.split('=', 1)[0] ?? '') === (behavior === 'whitelist'),
    )
    .join('&');
}

/** The cookies that a policy names, in their order. */
export function pickCookies(
  header: string,
  behavior: 'none' | 'whitelist' | 'allExcept' | 'all',
  names: readonly string[],
): string {
  if (behavior === 'all') return header;
  if (behavior === 'none') return '';
  return header
    .split(';')
    .map((cookie) => cookie.trim())
    .filter(
      (cookie) =>
        cookie !== '' && names.includes(cookie.split('=', 1)[0] ?? '') === (behavior === 'whitelist'),
    )
    .join('; ');
}

/**
 * One spelling of a path for comparison: percent sequences that stand for nothing special are decoded. What is not
 * valid stays as it is.
 */
export function comparable(path: string): string {
  return path.replaceAll(/%[0-9a-f]{2}(?:%[89ab][0-9a-f])*/gi, (sequence) => {
    try {
      const text = decodeURIComponent(sequence);
      return /^[%/?#*]$/.test(text) ? sequence.toUpperCase() : text;
    } catch {
      return sequence.toUpperCase();
    }
  });
}
