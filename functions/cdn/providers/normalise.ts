import { NamedError } from '../../shared/named-error.ts';

/** It cannot be a path or a tag of an edge. */
export class InvalidItemError extends NamedError {}

/** CloudFront takes no longer ones. */
export const longestPath = 4_000;
const longestTag = 256;

/** Octets that stand for themselves in a path: RFC 3986's `pchar` and the slash. */
const literal = /^[A-Za-z0-9\-._~!$&'()+,;=:@/]$/;
const unreserved = /^[A-Za-z0-9\-._~]$/;

export type QueryStrings = 'ignored' | 'kept';

/**
 * The one spelling of a path that edges and viewers agree on: UTF-8, percent-encoded where it has to be and nowhere else, digits of
 * escapes in upper case (RFC 3986, 6.2.2). Escapes of reserved characters stay: they mean something else than the characters.
 *
 * @param queryStrings `ignored`: the edge serves the same whatever the query string is; it is left out.
 * @throws InvalidItemError for whatever is no absolute path, or could be read in two ways: control characters, backslashes, wildcards,
 * fragments, `.` and `..`, escapes that are broken or no UTF-8.
 */
export function normalisePath(path: string, queryStrings: QueryStrings): string {
  const mark = path.indexOf('?');
  const [name, query] = mark < 0 ? [path, undefined] : [path.slice(0, mark), path.slice(mark + 1)];
  if (!name.startsWith('/') || name.startsWith('//')) throw invalid('has to begin with one slash');
  const normal = encode(name);
  if (normal.split('/').some((part) => part === '.' || part === '..')) {
    throw invalid('must not have . or .. as a part');
  }
  const whole =
    query === undefined || query === '' || queryStrings === 'ignored'
      ? normal
      : `${normal}?${encode(query, '?')}`;
  if (whole.length > longestPath) throw invalid(`is longer than ${longestPath} characters`);
  return whole;
}

/** A prefix of paths; a `*` at its end is taken as what it says. @throws InvalidItemError */
export function normalisePrefix(prefix: string): string {
  const text = prefix.endsWith('*') ? prefix.slice(0, -1) : prefix;
  if (text.includes('?')) throw invalid('must not have a query string');
  return normalisePath(text, 'ignored');
}

/** A tag as all providers take it: visible ASCII, up to 256 characters. @throws InvalidItemError */
export function normaliseTag(tag: string): string {
  if (!/^[\x21-\x7e]+$/.test(tag) || tag.includes(',')) {
    throw invalid('has to be of visible ASCII characters, without commas');
  }
  if (tag.length > longestTag) throw invalid(`is longer than ${longestTag} characters`);
  return tag;
}

function encode(text: string, more = ''): string {
  if (/[\p{Cc}\u2028\u2029]/u.test(text)) throw invalid('must not have control characters');
  if (!text.isWellFormed()) throw invalid('is not well-formed Unicode');
  let result = '';
  for (let index = 0; index < text.length; ) {
    const character = String.fromCodePoint(text.codePointAt(index) ?? 0);
    if (character === '%') {
      result += escapeOf(text.slice(index, index + 3));
      index += 3;
      continue;
    }
    if (character === '*') throw invalid('must not have *: name what begins alike by a prefix');
    if (character === '#') throw invalid('must not have a fragment');
    if (character === '\\') throw invalid('must not have backslashes');
    result += literal.test(character) || more.includes(character) ? character : encodeURIComponent(character);
    index += character.length;
  }
  requireUtf8(result);
  return result;
}

function escapeOf(triplet: string): string {
  if (!/^%[0-9A-Fa-f]{2}$/.test(triplet)) throw invalid('has a % that is no escape');
  const octet = Number.parseInt(triplet.slice(1), 16);
  if (octet < 0x20 || octet === 0x7f) throw invalid('must not have control characters');
  const character = String.fromCharCode(octet);
  return octet < 0x80 && unreserved.test(character) ? character : triplet.toUpperCase();
}

function requireUtf8(encoded: string): void {
  try {
    const decoded = decodeURIComponent(encoded);
    if (/[\p{Cc}\u2028\u2029]/u.test(decoded)) throw invalid('must not have control characters');
  } catch (error) {
    if (error instanceof InvalidItemError) throw error;
    throw invalid('has escapes that are not UTF-8');
  }
}

const invalid = (message: string): InvalidItemError => new InvalidItemError(message);
