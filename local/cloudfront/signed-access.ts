import { type KeyObject, verify } from 'node:crypto';
import { BlockList, isIPv6 } from 'node:net';
import * as z from 'zod';
import { fitsPattern } from './path-pattern.ts';

/** Parameters of a signed URL; they are neither part of what is signed nor passed on. */
const parameters = ['Expires', 'Policy', 'Signature', 'Key-Pair-Id', 'Hash-Algorithm'];

const epoch = z.strictObject({ 'AWS:EpochTime': z.number().int() });
const policySchema = z.strictObject({
  Statement: z.tuple([
    z.strictObject({
      Resource: z.string().optional(),
      Condition: z.strictObject({
        DateLessThan: epoch,
        DateGreaterThan: epoch.optional(),
        IpAddress: z.strictObject({ 'AWS:SourceIp': z.string() }).optional(),
      }),
    }),
  ]),
});

export interface SignedRequest {
  host: string;
  path: string;
  query: string;
  cookie: string;
  /** Address of the viewer. */
  address: string;
  /** Milliseconds since the epoch. */
  now: number;
}

/** Why a request that needs a signature is refused; the words are CloudFront's. */
export type Refusal = 'MissingKey' | 'AccessDenied';

/** The query without the parameters of a signature. */
export function withoutSignature(query: string): string {
  return query
    .split('&')
    .filter((part) => !parameters.includes(part.split('=', 1)[0] ?? ''))
    .join('&');
}

/**
 * Checks a signed URL or signed cookies, with a canned or a custom policy.
 *
 * @param keys public keys of the trusted key groups, by their ids.
 * @returns undefined when the request is allowed.
 * @see https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/PrivateContent.html
 */
export function refusalOf(request: SignedRequest, keys: ReadonlyMap<string, KeyObject>): Refusal | undefined {
  const read = readerOf(request);
  const keyId = read('Key-Pair-Id');
  if (keyId === undefined) return 'MissingKey';
  const key = keys.get(keyId);
  const signature = decode(read('Signature') ?? '');
  const algorithm = read('Hash-Algorithm') === 'SHA256' ? 'sha256' : 'sha1';
  if (key === undefined || signature.length === 0) return 'AccessDenied';
  const custom = read('Policy');
  // The address of the edge is reached with and without TLS, which is the same on this machine.
  const candidates =
    custom === undefined
      ? ['https', 'http'].map((scheme) => cannedPolicy(urlOf(scheme, request), read('Expires') ?? ''))
      : [decode(custom).toString('utf8')];
  const policy = candidates.find((text) => verify(algorithm, Buffer.from(text), key, signature));
  return policy !== undefined && isAllowed(policy, request) ? undefined : 'AccessDenied';
}

/** The parameters of the query, or those of the cookies when the query has none. */
function readerOf({ query, cookie }: SignedRequest): (name: string) => string | undefined {
  const inQuery = new URLSearchParams(query);
  if (inQuery.has('Signature')) return (name) => inQuery.get(name) ?? undefined;
  const cookies = new Map(
    cookie.split(';').map((part) => {
      const [name = '', ...value] = part.trim().split('=');
      return [name, value.join('=')];
    }),
  );
  return (name) => cookies.get(`CloudFront-${name}`);
}

function cannedPolicy(url: string, expires: string): string {
  return `{"Statement":[{"Resource":"${url}","Condition":{"DateLessThan":{"AWS:EpochTime":${expires}}}}]}`;
}

function urlOf(scheme: string, { host, path, query }: SignedRequest): string {
  const rest = withoutSignature(query);
  return `${scheme}://${host}${path}${rest === '' ? '' : `?${rest}`}`;
}

function isAllowed(policy: string, request: SignedRequest): boolean {
  const parsed = policySchema.safeParse(parseJson(policy));
  if (!parsed.success) return false;
  const [{ Resource, Condition }] = parsed.data.Statement;
  const seconds = request.now / 1000;
  if (seconds >= Condition.DateLessThan['AWS:EpochTime']) return false;
  if (Condition.DateGreaterThan !== undefined && seconds <= Condition.DateGreaterThan['AWS:EpochTime'])
    return false;
  const range = Condition.IpAddress?.['AWS:SourceIp'];
  if (range !== undefined && !isWithin(request.address, range)) return false;
  const urls = ['https', 'http'].map((scheme) => urlOf(scheme, request));
  return Resource === undefined || urls.some((url) => fitsPattern(`/${url}`, `/${Resource}`));
}

function isWithin(address: string, range: string): boolean {
  const [network = '', prefix = ''] = range.split('/');
  const list = new BlockList();
  const family = (text: string) => (isIPv6(text) ? 'ipv6' : 'ipv4');
  try {
    if (prefix === '') list.addAddress(network, family(network));
    else list.addSubnet(network, Number(prefix), family(network));
    return list.check(address, family(address));
  } catch {
    return false;
  }
}

/** Base64 with `-`, `_` and `~` in place of what URLs do not take. */
function decode(text: string): Buffer {
  return Buffer.from(text.replaceAll('-', '+').replaceAll('_', '=').replaceAll('~', '/'), 'base64');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
