import { AwsError } from './operation.ts';

/**
 * One page of a list in a stable order. `keyOf` gives what tells items apart; the token of a page is
 * that of its last item, so that items added meanwhile neither repeat nor hide others.
 *
 * Throws an error of code `invalidToken` for a token of another list.
 */
export function page<T>(
  items: readonly T[],
  options: { keyOf: (item: T) => string; limit: number; token: string | undefined; invalidToken: string },
): { items: readonly T[]; next: string | undefined } {
  const { keyOf, limit, token, invalidToken } = options;
  let start = 0;
  if (token !== undefined) {
    const last = Buffer.from(token, 'base64url').toString();
    start = items.findIndex((item) => keyOf(item) === last) + 1;
    if (start === 0) throw new AwsError(invalidToken, 'The token is not one of this list');
  }
  const selected = items.slice(start, start + limit);
  const last = selected.at(-1);
  const more = start + limit < items.length && last !== undefined;
  return { items: selected, next: more ? Buffer.from(keyOf(last)).toString('base64url') : undefined };
}
