import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { Problem } from './problem.ts';

export type HttpLambdaResult = APIGatewayProxyStructuredResultV2;

/** Options of middy's security headers: what matters for an API, and no header that only fills bytes. */
export const securityHeaders = {
  // Set below with each answer, because the documentation page needs its own.
  contentSecurityPolicy: false,
  crossOriginEmbedderPolicy: false,
  downloadOptions: false,
  permissionsPolicy: false,
  reportTo: false,
  reportingEndpoints: false,
  strictTransportSecurity: { maxAge: 365 * 24 * 60 * 60, includeSubDomains: true },
} as const;

/** What a handler answers, without the types of its contract. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Text and bytes are sent as they are where the headers name a content type; all else as JSON. */
  readonly body?: unknown;
}

const defaults = {
  'cache-control': 'no-store',
  // What this API sends is data: should a browser take it for a page, that page may do nothing.
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
};

/** The answer as API Gateway takes it (payload format 2.0). */
export function toLambdaResult(answer: HttpAnswer, contentType?: string): HttpLambdaResult {
  const { status, body } = answer;
  if (body === undefined) return { statusCode: status, headers: { ...defaults, ...answer.headers } };
  const named = contentType ?? answer.headers?.['content-type'];
  const verbatim = body instanceof Uint8Array || (typeof body === 'string' && named !== undefined);
  const headers = {
    ...defaults,
    'content-type': contentType ?? (verbatim ? 'application/octet-stream' : 'application/json'),
    ...answer.headers,
  };
  if (body instanceof Uint8Array) {
    return {
      statusCode: status,
      headers,
      body: Buffer.from(body).toString('base64'),
      isBase64Encoded: true,
    };
  }
  const text = verbatim ? String(body) : JSON.stringify(body);
  return { statusCode: status, headers, body: text, isBase64Encoded: false };
}

/** Writes an error in the form of a protocol. The problem's headers are added to what it gives. */
export type ErrorWriter = (
  problem: Problem,
  context: { readonly traceId: string; readonly contentType: string | undefined },
) => HttpAnswer;

/** Answers with problem details. */
export function problemResult(
  problem: Problem,
  context: { instance?: string; traceId?: string },
): HttpLambdaResult {
  return toLambdaResult({
    status: problem.status,
    headers: { 'content-type': 'application/problem+json', ...problem.headers },
    body: problem.toDetails(context),
  });
}

/** What a caller hears of an error. What is not a `Problem` is reported without saying what it was. */
export function problemOf(error: unknown): Problem {
  return error instanceof Problem ? error : unexpected(error);
}

function unexpected(error: unknown): Problem {
  if (isTransient(error)) {
    return new Problem('not-available', 'A part of Mainstay did not answer in time. Try again.', {
      headers: { 'retry-after': '1' },
    });
  }
  return new Problem('internal-error', 'Something unexpected happened. The trace id finds it in the logs.');
}

const transientNames = new Set([
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'Throttling',
  'ThrottlingException',
  'TimeoutError',
  'TooManyRequestsException',
]);

/** Whether an AWS call failed in a way that a later attempt may not. */
export function isTransient(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (transientNames.has(error.name)) return true;
  return '$fault' in error && error.$fault === 'server';
}
