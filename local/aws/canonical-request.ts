import { createHash, createHmac } from 'node:crypto';

/** The parts of a request that a signature covers, as they went over the wire. */
export interface SignedRequest {
  method: string;
  /** Path and query as sent: `/bucket/key?versionId=1`. */
  url: string;
  /** Names and values as sent, in turn, as Node's `rawHeaders`. */
  rawHeaders: readonly string[];
}

/** `<date>/<region>/<service>/aws4_request`: what a signing key is derived for. */
export interface CredentialScope {
  /** `YYYYMMDD` */
  date: string;
  region: string;
  service: string;
}

export const emptyPayloadHash = createHash('sha256').digest('hex');

/** Percent-encodes everything but RFC 3986's unreserved characters. */
export function encodeRfc3986(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** Splits a query as sent into decoded pairs. Throws `URIError` on a broken percent sequence. */
export function parseQuery(url: string): [name: string, value: string][] {
  const start = url.indexOf('?');
  if (start < 0) return [];
  const decode = (text: string) => decodeURIComponent(text.replaceAll('+', ' '));
  return url
    .slice(start + 1)
    .split('&')
    .filter((part) => part !== '')
    .map((part) => {
      const equals = part.indexOf('=');
      return equals < 0
        ? [decode(part), '']
        : [decode(part.slice(0, equals)), decode(part.slice(equals + 1))];
    });
}

/**
 * The text whose hash is signed. S3 signs its path as sent; the other services sign the normalised
 * path encoded once more.
 */
export function canonicalRequest(
  request: SignedRequest,
  service: string,
  signedHeaders: readonly string[],
  payloadHash: string,
): string {
  const headers = headerValues(request.rawHeaders);
  return [
    request.method,
    canonicalPath(request.url, service),
    canonicalQuery(request.url),
    ...signedHeaders.map((name) => `${name}:${(headers.get(name) ?? []).join(',')}`),
    '',
    signedHeaders.join(';'),
    payloadHash,
  ].join('\n');
}

/** The signature in hex of a canonical request. `date` is `YYYYMMDDTHHMMSSZ`. */
export function signature(
  secretAccessKey: string,
  scope: CredentialScope,
  date: string,
  canonical: string,
): string {
  const scopeText = `${scope.date}/${scope.region}/${scope.service}/aws4_request`;
  const hash = createHash('sha256').update(canonical).digest('hex');
  const key = [scope.date, scope.region, scope.service, 'aws4_request'].reduce<Buffer | string>(
    (parent, part) => createHmac('sha256', parent).update(part).digest(),
    `AWS4${secretAccessKey}`,
  );
  return createHmac('sha256', key).update(`AWS4-HMAC-SHA256\n${date}\n${scopeText}\n${hash}`).digest('hex');
}

/** All values of each header in lower case, trimmed, inner runs of spaces made one. */
export function headerValues(rawHeaders: readonly string[]): Map<string, string[]> {
  const headers = new Map<string, string[]>();
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? '').toLowerCase();
    const value = (rawHeaders[index + 1] ?? '').trim().replace(/[ \t]+/g, ' ');
    headers.set(name, [...(headers.get(name) ?? []), value]);
  }
  return headers;
}

function canonicalPath(url: string, service: string): string {
  const path = url.split('?', 1)[0] || '/';
  if (service === 's3') {
    return path
      .split('/')
      .map((segment) => encodeRfc3986(decodeURIComponent(segment)))
      .join('/');
  }
  const segments: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') segments.pop();
    else if (segment !== '' && segment !== '.') segments.push(encodeRfc3986(segment));
  }
  const trailing = segments.length > 0 && path.endsWith('/') ? '/' : '';
  return `/${segments.join('/')}${trailing}`;
}

function canonicalQuery(url: string): string {
  return parseQuery(url)
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => [encodeRfc3986(name), encodeRfc3986(value)] as const)
    .sort(([nameA, valueA], [nameB, valueB]) => compare(nameA, nameB) || compare(valueA, valueB))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
