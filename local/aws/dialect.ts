import type { IncomingHttpHeaders } from 'node:http';
import type { AwsApi } from './api.ts';
import { writeJson } from './json-protocol.ts';
import { AwsError } from './operation.ts';
import { SignatureError, type SignatureFault } from './sigv4.ts';
import { textElement } from './xml.ts';

/** An error on its way to the client. */
export interface ErrorAnswer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** AWS's services with REST paths that answer in XML; the others answer in JSON. */
const xmlServices = new Set(['s3', 's3control', 'cloudfront', 'route53']);

type Name = readonly [code: string, status: number];

/** How one family of services names and writes errors. */
export interface Dialect {
  accessDenied: Name;
  signature: Record<SignatureFault, Name>;
  write(error: AwsError, requestId: string): ErrorAnswer;
}

const jsonSignature = (status: number): Record<SignatureFault, Name> => ({
  missing: ['MissingAuthenticationTokenException', status],
  malformed: ['IncompleteSignatureException', status],
  'unknown-key': ['UnrecognizedClientException', status],
  'token-expired': ['ExpiredTokenException', status],
  mismatch: ['InvalidSignatureException', status],
  skewed: ['InvalidSignatureException', status],
  'url-expired': ['InvalidSignatureException', status],
  'unsigned-headers': ['InvalidSignatureException', status],
});

const json: Dialect = {
  accessDenied: ['AccessDeniedException', 400],
  signature: jsonSignature(400),
  write: (error) => ({
    status: error.statusCode,
    headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-errortype': error.code },
    body: writeJson({ __type: error.code, message: error.message, ...error.details }),
  }),
};

const restJson: Dialect = {
  accessDenied: ['AccessDeniedException', 403],
  signature: jsonSignature(403),
  write: (error) => ({
    status: error.statusCode,
    headers: { 'content-type': 'application/json', 'x-amzn-errortype': error.code },
    body: writeJson({ message: error.message, ...error.details }),
  }),
};

const query: Dialect = {
  accessDenied: ['AccessDenied', 403],
  signature: {
    missing: ['MissingAuthenticationToken', 403],
    malformed: ['IncompleteSignature', 400],
    'unknown-key': ['InvalidClientTokenId', 403],
    'token-expired': ['ExpiredToken', 403],
    mismatch: ['SignatureDoesNotMatch', 403],
    skewed: ['SignatureDoesNotMatch', 403],
    'url-expired': ['SignatureDoesNotMatch', 403],
    'unsigned-headers': ['SignatureDoesNotMatch', 403],
  },
  write: (error, requestId) => ({
    status: error.statusCode,
    headers: { 'content-type': 'text/xml' },
    body:
      `<ErrorResponse><Error><Type>${error.statusCode < 500 ? 'Sender' : 'Receiver'}</Type>` +
      `${errorMembers(error)}</Error>${textElement('RequestId', requestId)}</ErrorResponse>`,
  }),
};

const restXml: Dialect = {
  accessDenied: ['AccessDenied', 403],
  signature: {
    missing: ['AccessDenied', 403],
    malformed: ['AuthorizationHeaderMalformed', 400],
    'unknown-key': ['InvalidAccessKeyId', 403],
    'token-expired': ['ExpiredToken', 400],
    mismatch: ['SignatureDoesNotMatch', 403],
    skewed: ['RequestTimeTooSkewed', 403],
    'url-expired': ['AccessDenied', 403],
    'unsigned-headers': ['AccessDenied', 403],
  },
  write: (error, requestId) => ({
    status: error.statusCode,
    headers: { 'content-type': 'application/xml' },
    body:
      `<?xml version="1.0" encoding="UTF-8"?>\n<Error>${errorMembers(error)}` +
      `${textElement('RequestId', requestId)}</Error>`,
  }),
};

function errorMembers(error: AwsError): string {
  const details = Object.entries(error.details).map(([name, value]) => textElement(name, String(value)));
  return textElement('Code', error.code) + textElement('Message', error.message) + details.join('');
}

/** The dialect of an API. */
export function dialectOf(api: AwsApi): Dialect {
  if (api.protocol === 'json') return json;
  if (api.protocol === 'query') return query;
  switch (api.errors) {
    case 'xml':
      return restXml;
    case 'wrapped xml':
      return query;
    case 'json':
      return restJson;
  }
}

/** Guesses the dialect of a client that no registered API serves, so that it can read the refusal. */
export function dialectOfRequest(headers: IncomingHttpHeaders, service?: string): Dialect {
  if (headers['x-amz-target'] !== undefined) return json;
  if (headers['content-type']?.startsWith('application/x-www-form-urlencoded')) return query;
  return service === undefined || xmlServices.has(service) ? restXml : restJson;
}

/** An error in the words of a dialect; whatever is no {@link AwsError} becomes `InternalFailure`. */
export function translateError(error: unknown, dialect: Dialect): AwsError {
  if (error instanceof SignatureError) {
    const [code, status] = dialect.signature[error.fault];
    return new AwsError(code, error.message, status);
  }
  if (!(error instanceof AwsError)) {
    return new AwsError('InternalFailure', `The local runtime failed: ${errorText(error)}`, 500);
  }
  if (error.code !== 'AccessDenied') return error;
  const [code, status] = dialect.accessDenied;
  return new AwsError(code, error.message, status, error.details);
}

function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
