import { type CredentialScope, headerValues, parseQuery, type SignedRequest } from './canonical-request.ts';

/** Why a signature was refused; each protocol has its own names for these. */
export type SignatureFault =
  | 'missing'
  | 'malformed'
  | 'unknown-key'
  | 'token-expired'
  | 'mismatch'
  | 'skewed'
  | 'url-expired'
  | 'unsigned-headers';

/** A request whose signature does not hold. */
export class SignatureError extends Error {
  readonly fault: SignatureFault;

  constructor(fault: SignatureFault, message: string) {
    super(message);
    this.name = 'SignatureError';
    this.fault = fault;
  }
}

/** What a request claims about its signature; nothing in it has been verified. */
export interface SignatureClaim {
  kind: 'header' | 'presigned';
  accessKeyId: string;
  sessionToken: string | undefined;
  scope: CredentialScope;
  /** `YYYYMMDDTHHMMSSZ` */
  date: string;
  /** Seconds a presigned URL is valid for. */
  expiresIn: number | undefined;
  signedHeaders: string[];
  signature: string;
  /**
   * The payload hash the client names: hex, `UNSIGNED-PAYLOAD`, `STREAMING-…`; `undefined` when the
   * hash of the payload itself was signed without naming it.
   */
  payloadHash: string | undefined;
}

const longestPresigned = 7 * 24 * 3600;

/**
 * Reads the signature of a request from its `Authorization` header or its presigned query.
 *
 * Returns `undefined` when there is none; throws {@link SignatureError} when it is malformed.
 */
export function readSignature(request: SignedRequest): SignatureClaim | undefined {
  const headers = headerValues(request.rawHeaders);
  const header = headers.get('authorization')?.[0];
  const query = new Map(readQuery(request.url));
  const presigned = query.has('X-Amz-Algorithm') || query.has('X-Amz-Signature');
  if (header !== undefined && presigned) {
    throw new SignatureError(
      'malformed',
      'The request has both an Authorization header and a presigned query',
    );
  }
  if (presigned) return readPresigned(query, headers);
  return header === undefined ? undefined : readHeader(header, headers);
}

function readHeader(header: string, headers: Map<string, string[]>): SignatureClaim {
  const [algorithm, ...rest] = header.split(' ');
  if (algorithm !== 'AWS4-HMAC-SHA256') {
    throw new SignatureError(
      'malformed',
      `Unsupported signing algorithm '${algorithm}'; use AWS4-HMAC-SHA256`,
    );
  }
  const parts = new Map(
    rest
      .join(' ')
      .split(',')
      .map((part): [string, string] => {
        const equals = part.indexOf('=');
        return [part.slice(0, equals).trim(), part.slice(equals + 1).trim()];
      }),
  );
  const date = headers.get('x-amz-date')?.[0] ?? basicDate(headers.get('date')?.[0]);
  return {
    kind: 'header',
    ...readCredential(required(parts, 'Credential', 'Authorization header')),
    sessionToken: headers.get('x-amz-security-token')?.[0],
    date: checkedDate(date),
    expiresIn: undefined,
    signedHeaders: required(parts, 'SignedHeaders', 'Authorization header').split(';'),
    signature: required(parts, 'Signature', 'Authorization header'),
    payloadHash: headers.get('x-amz-content-sha256')?.[0],
  };
}

function readPresigned(query: Map<string, string>, headers: Map<string, string[]>): SignatureClaim {
  const algorithm = required(query, 'X-Amz-Algorithm', 'query');
  if (algorithm !== 'AWS4-HMAC-SHA256') {
    throw new SignatureError(
      'malformed',
      `Unsupported signing algorithm '${algorithm}'; use AWS4-HMAC-SHA256`,
    );
  }
  const credential = readCredential(required(query, 'X-Amz-Credential', 'query'));
  const expires = required(query, 'X-Amz-Expires', 'query');
  if (!/^\d{1,6}$/.test(expires) || Number(expires) < 1 || Number(expires) > longestPresigned) {
    throw new SignatureError('malformed', `X-Amz-Expires must be between 1 and ${longestPresigned} seconds`);
  }
  const named = headers.get('x-amz-content-sha256')?.[0] ?? query.get('X-Amz-Content-Sha256');
  return {
    kind: 'presigned',
    ...credential,
    sessionToken: query.get('X-Amz-Security-Token'),
    date: checkedDate(required(query, 'X-Amz-Date', 'query')),
    expiresIn: Number(expires),
    signedHeaders: required(query, 'X-Amz-SignedHeaders', 'query').split(';'),
    signature: required(query, 'X-Amz-Signature', 'query'),
    payloadHash: named ?? (credential.scope.service === 's3' ? 'UNSIGNED-PAYLOAD' : undefined),
  };
}

function readCredential(text: string): Pick<SignatureClaim, 'accessKeyId' | 'scope'> {
  const [accessKeyId, date, region, service, terminator, ...more] = text.split('/');
  if (!accessKeyId || !date || !region || !service || terminator !== 'aws4_request' || more.length > 0) {
    throw new SignatureError(
      'malformed',
      `Credential must be <key>/<date>/<region>/<service>/aws4_request, got '${text}'`,
    );
  }
  return { accessKeyId, scope: { date, region, service } };
}

function readQuery(url: string): [string, string][] {
  try {
    decodeURIComponent(url.split('?', 1)[0] ?? '');
    return parseQuery(url);
  } catch {
    throw new SignatureError('malformed', 'The URL holds a broken percent sequence');
  }
}

function required(parts: Map<string, string>, name: string, where: string): string {
  const value = parts.get(name);
  if (!value) throw new SignatureError('malformed', `The ${where} lacks '${name}'`);
  return value;
}

function checkedDate(text: string | undefined): string {
  if (text === undefined || Number.isNaN(parseBasicDate(text))) {
    throw new SignatureError('malformed', `The request's date must be YYYYMMDDTHHMMSSZ, got '${text ?? ''}'`);
  }
  return text;
}

function basicDate(httpDate: string | undefined): string | undefined {
  const time = Date.parse(httpDate ?? '');
  return Number.isNaN(time)
    ? undefined
    : `${new Date(time).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`;
}

/** Milliseconds since the epoch of `YYYYMMDDTHHMMSSZ`, or `NaN`. */
export function parseBasicDate(text: string): number {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  if (!match) return Number.NaN;
  const [, year, month, day, hour, minute, second] = match;
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}
