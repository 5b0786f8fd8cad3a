import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import type { Authorizer } from '../iam/authorizer.ts';
import type { RestRequest } from './api.ts';
import { parseQuery } from './canonical-request.ts';
import { AwsError, type OperationContext } from './operation.ts';
import type { Payload } from './payload.ts';

const presignParameters = new Set([
  'x-amz-algorithm',
  'x-amz-credential',
  'x-amz-date',
  'x-amz-expires',
  'x-amz-signedheaders',
  'x-amz-signature',
  'x-amz-security-token',
  'x-amz-content-sha256',
]);

export interface RestRequestParts {
  request: IncomingMessage;
  presigned: boolean;
  payload: Payload;
  /** The payload, when it had to be read before the signature could be verified. */
  buffered: Buffer | undefined;
  context: OperationContext;
  authorizer: Authorizer;
  signal: AbortSignal;
}

/** Builds what a REST service gets to see of a request. */
export function restRequest(parts: RestRequestParts): RestRequest {
  const { request, payload, buffered, context, authorizer } = parts;
  const url = request.url ?? '/';
  const { query, hoisted } = splitQuery(url, parts.presigned);
  return {
    principal: context.principal,
    method: request.method ?? 'GET',
    rawPath: url.split('?', 1)[0] || '/',
    query,
    origin: `http://${request.headers.host ?? ''}`,
    headers: { ...hoisted, ...withoutFraming(request.headers) },
    body: buffered === undefined ? payload : Readable.from(buffered),
    contentLength: buffered?.length ?? payload.declaredLength,
    payloadSha256: payload.sha256,
    trailers: () => payload.trailers,
    buffer: async (limit) => {
      if (buffered === undefined) return payload.buffer(limit);
      if (buffered.length <= limit) return buffered;
      throw new AwsError('RequestEntityTooLarge', `The request body is larger than ${limit} bytes`, 413);
    },
    authorize: (authorizations) => {
      for (const authorization of authorizations) authorizer.check(context.principal, authorization);
    },
    signal: parts.signal,
    context,
  };
}

/** Presigned URLs carry `x-amz-` headers in their query; the service sees them as headers. */
function splitQuery(
  url: string,
  presigned: boolean,
): { query: URLSearchParams; hoisted: IncomingHttpHeaders } {
  const query = new URLSearchParams();
  const hoisted: IncomingHttpHeaders = {};
  for (const [name, value] of parseQuery(url)) {
    const lower = name.toLowerCase();
    if (presigned && presignParameters.has(lower)) continue;
    if (presigned && lower.startsWith('x-amz-')) hoisted[lower] = value;
    else query.append(name, value);
  }
  return { query, hoisted };
}

function withoutFraming(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const encodings = headers['content-encoding'];
  if (encodings === undefined) return headers;
  const others = encodings
    .split(',')
    .map((encoding) => encoding.trim())
    .filter((encoding) => encoding !== 'aws-chunked' && encoding !== '');
  const { 'content-encoding': _, ...rest } = headers;
  return others.length === 0 ? rest : { ...rest, 'content-encoding': others.join(',') };
}
