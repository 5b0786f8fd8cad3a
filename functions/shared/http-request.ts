import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import type * as z from 'zod';
import type { RawBodyContract, RouteContract } from './contract.ts';
import type { HttpRequest } from './http-handler.ts';
import { parseJson } from './json-body.ts';
import { type FieldError, Problem } from './problem.ts';

/** Largest request body in bytes. */
export const maximumBodyBytes = 1024 * 1024;
const maximumErrors = 20;

/** The parts of API Gateway's event (payload format 2.0) that the shared stack and handlers use. */
export function describeRequest(event: APIGatewayProxyEventV2): HttpRequest {
  const { http, requestId, timeEpoch } = event.requestContext;
  const headers = Object.entries(event.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]);
  return {
    method: http.method.toUpperCase(),
    path: event.rawPath,
    headers: Object.fromEntries(headers),
    sourceIp: http.sourceIp,
    requestId,
    time: new Date(timeEpoch),
  };
}

export interface ParsedRequest {
  params: unknown;
  query: unknown;
  body: unknown;
}

/**
 * Parses path parameters, query and body against the route's contract.
 *
 * @throws Problem 400 naming every field that was not accepted, 413, or 415.
 */
export function parseRequest(
  route: RouteContract,
  event: APIGatewayProxyEventV2,
  request: HttpRequest,
): ParsedRequest {
  const errors: FieldError[] = [];
  const check = (part: string, schema: z.ZodType | undefined, value: unknown): unknown => {
    const result = schema === undefined ? undeclared(part, value) : accept(part, schema, value);
    errors.push(...result.errors);
    return result.value;
  };
  const query = parseQuery(event.rawQueryString);
  const parsed = {
    params: check('params', route.params, event.pathParameters ?? {}),
    query: check('query', route.query, query.values),
    body:
      route.rawBody === undefined
        ? check('body', route.body, parseBody(event, request))
        : rawBody(route.rawBody, event, request),
  };
  errors.push(...query.errors);
  if (errors.length > 0) throw invalidRequest(errors);
  return parsed;
}

/** The problem that names the parts of a request that were not accepted. */
export function invalidRequest(errors: readonly FieldError[]): Problem {
  const shown = errors.slice(0, maximumErrors);
  const [first] = shown;
  const more = errors.length > 1 ? `, and ${errors.length - 1} more` : '';
  const detail = first === undefined ? '' : `${first.field}: ${first.message}${more}.`;
  return new Problem('invalid-request', detail, { errors: shown });
}

interface Accepted {
  value: unknown;
  errors: FieldError[];
}

function accept(part: string, schema: z.ZodType, value: unknown): Accepted {
  const result = schema.safeParse(value);
  if (result.success) return { value: result.data, errors: [] };
  return { value: undefined, errors: result.error.issues.flatMap((issue) => fieldErrors(part, issue)) };
}

/** A part that the contract does not have: empty is fine, anything else is a misunderstanding worth telling. */
function undeclared(part: string, value: unknown): Accepted {
  if (part === 'body') {
    if (isEmptyObject(value)) return { value: undefined, errors: [] };
    return { value: undefined, errors: [{ field: part, message: 'this request takes no body' }] };
  }
  const names = Object.keys(value ?? {});
  return {
    value: {},
    errors: names.map((name) => ({ field: fieldName([part, name]), message: 'is not a known field' })),
  };
}

function isEmptyObject(value: unknown): boolean {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length === 0
  );
}

function fieldErrors(part: string, issue: z.core.$ZodIssue): FieldError[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      field: fieldName([part, ...issue.path, key]),
      message: 'is not a known field',
    }));
  }
  const missing = issue.code === 'invalid_type' && issue.message.endsWith('received undefined');
  return [{ field: fieldName([part, ...issue.path]), message: missing ? 'is required' : issue.message }];
}

/** Names come from the request: cut, so that an answer never grows with them. */
function fieldName(path: readonly PropertyKey[]): string {
  return path.map((step) => String(step).slice(0, 80)).join('.');
}

function parseQuery(raw: string | undefined): { values: unknown; errors: FieldError[] } {
  const values = new Map<string, string>();
  const errors: FieldError[] = [];
  for (const [name, value] of new URLSearchParams(raw ?? '')) {
    if (values.has(name)) {
      errors.push({ field: fieldName(['query', name]), message: 'is given more than once' });
    }
    values.set(name, value);
  }
  return { values: Object.fromEntries(values), errors };
}

function parseBody(event: APIGatewayProxyEventV2, { headers }: HttpRequest): unknown {
  // Absent is read as `{}`: fields have defaults, or are named as missing.
  if (event.body === undefined || event.body === '') return {};
  const bytes = bytesOf(event, maximumBodyBytes);
  requireJson(headers['content-type'], headers['content-encoding']);
  const parsed = parseJson(decodeUtf8(bytes));
  if (!parsed.ok) throw invalidRequest([{ field: 'body', message: parsed.message }]);
  return parsed.value;
}

/** A body as it was sent, in one of the types that the route takes. */
function rawBody(
  { contentTypes, maximumBytes }: RawBodyContract,
  event: APIGatewayProxyEventV2,
  { headers }: HttpRequest,
): Uint8Array {
  const [type = ''] = (headers['content-type'] ?? '').toLowerCase().split(';');
  if (!contentTypes.includes(type.trim())) {
    const known = contentTypes.map((name) => `\`${name}\``).join(' or ');
    throw new Problem('unsupported-media-type', `Send the body as ${known}.`);
  }
  return bytesOf(event, maximumBytes);
}

function bytesOf({ body = '', isBase64Encoded }: APIGatewayProxyEventV2, maximumBytes: number): Buffer {
  const bytes = Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8');
  if (bytes.length <= maximumBytes) return bytes;
  throw new Problem('payload-too-large', `A request body has at most ${maximumBytes} bytes.`);
}

function requireJson(contentType: string | undefined, contentEncoding: string | undefined): void {
  const [type = '', ...parameters] = (contentType ?? '').toLowerCase().split(';');
  const json = /^application\/(?:[a-z0-9.-]+\+)?json$/.test(type.trim());
  const utf8 = parameters.every((parameter) => !/^\s*charset=/.test(parameter) || /utf-?8/.test(parameter));
  if (!json || !utf8) {
    throw new Problem('unsupported-media-type', 'Send the body as JSON: `Content-Type: application/json`.');
  }
  if ((contentEncoding ?? 'identity').toLowerCase() !== 'identity') {
    throw new Problem('unsupported-media-type', 'Send the body without a content encoding.');
  }
}

function decodeUtf8(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw invalidRequest([{ field: 'body', message: 'is not UTF-8 text' }]);
  }
}
