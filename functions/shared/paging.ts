import * as z from 'zod';
import { Problem } from './problem.ts';

/** Query parameters of every list: `limit` items of one page, and the token that the page before gave. */
export const pageQuery = {
  limit: z.coerce.number().int().min(1).max(100).default(20).describe('How many items to return at most.'),
  nextToken: z
    .string()
    .max(2_048)
    .regex(/^[A-Za-z0-9_-]+$/, 'is not a token of this list')
    .optional()
    .describe('From the page before; take it as it is.'),
};

/** Makes the opaque token for the page after `position`. */
export function encodeToken(list: string, position: unknown): string {
  return Buffer.from(JSON.stringify([list, position])).toString('base64url');
}

/**
 * Reads a token back. What it holds is checked against `position`, so that a changed token asks at most for
 * another place in the same list: it must never carry authority.
 *
 * @param list names the list, so that one list's token is refused by another.
 * @throws Problem 400 naming `query.nextToken`.
 */
export function decodeToken<S extends z.ZodType>(
  list: string,
  position: S,
  token: string | undefined,
): z.output<S> | undefined {
  if (token === undefined) return undefined;
  const [of, value] = z.tuple([z.string(), z.unknown()]).safeParse(fromBase64Url(token)).data ?? [];
  const parsed = position.safeParse(value);
  if (of === list && parsed.success) return parsed.data;
  throw new Problem('invalid-request', 'The request has a field that was not accepted.', {
    errors: [{ field: 'query.nextToken', message: 'is not a token of this list' }],
  });
}

function fromBase64Url(token: string): unknown {
  try {
    return JSON.parse(Buffer.from(token, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}
