import { invalidArgument } from '../errors.ts';
import type { AuthorizationContext } from './authorization.ts';
import type { S3Call } from './call.ts';
import { readInteger } from './integers.ts';
import { element, field } from './xml.ts';

const mostEntries = 1000;

/** The parameters that all listings have in common. */
export interface ListingParameters {
  prefix: string;
  delimiter: string | undefined;
  limit: number;
  /** Writes a key as the request wants it: plain or percent-encoded. */
  encode: (key: string) => string;
  encodingType: string | undefined;
  /** Condition keys. */
  context: AuthorizationContext;
}

/**
 * Reads prefix, delimiter, page size and encoding.
 *
 * @param limitName of the page size: `max-keys`, `max-uploads`.
 */
export function readListingParameters(call: S3Call, limitName = 'max-keys'): ListingParameters {
  const prefix = call.request.query.get('prefix');
  const delimiter = call.query('delimiter');
  const size = call.query(limitName);
  const asked = readInteger(size, {
    name: limitName,
    minimum: 0,
    maximum: 2 ** 31 - 1,
    message: `Argument ${limitName} must be an integer between 0 and 2147483647`,
  });
  const encodingType = call.query('encoding-type');
  if (encodingType !== undefined && encodingType !== 'url') {
    throw invalidArgument('Invalid Encoding Method specified in Request', 'encoding-type', encodingType);
  }
  return {
    prefix: prefix ?? '',
    delimiter,
    limit: Math.min(asked ?? mostEntries, mostEntries),
    encode: encodingType === undefined ? (key) => key : encodeKey,
    encodingType,
    context: {
      ...(prefix !== null && { 's3:prefix': prefix }),
      ...(delimiter !== undefined && { 's3:delimiter': delimiter }),
      ...(limitName === 'max-keys' && size !== undefined && { 's3:max-keys': size }),
    },
  };
}

/** Percent-encoding as S3 does it in listings: slashes stay, spaces become plus signs. */
export function encodeKey(key: string): string {
  return encodeURIComponent(key)
    .replace(/[!'()~]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%2F', '/')
    .replaceAll('%20', '+');
}

/** The common prefixes of a page in XML. */
export function commonPrefixElements(
  prefixes: readonly string[],
  { encode }: Pick<ListingParameters, 'encode'>,
): string[] {
  return prefixes.map((prefix) => element('CommonPrefixes', field('Prefix', encode(prefix))));
}

/** Tokens are opaque to clients; this one starts so that other text is told apart. */
const tokenMark = '1';

/** The token with which a listing goes on after a name. */
export function encodeToken(name: string): string {
  return tokenMark + Buffer.from(name).toString('base64url');
}

/** The name inside a token. @throws `InvalidArgument` (400) for what is no token. */
export function decodeToken(token: string): string {
  const name = Buffer.from(token.slice(1), 'base64url').toString('utf8');
  if (encodeToken(name) === token) return name;
  throw invalidArgument('The continuation token provided is incorrect', 'continuation-token', token);
}
