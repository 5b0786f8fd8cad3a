import type { RestResponse } from '../../aws/api.ts';
import { S3Error } from '../errors.ts';
import type { Bucket, CorsRule } from '../model.ts';
import { emptyAnswer } from './answers.ts';
import type { S3Call } from './call.ts';

/** Answers a browser that asks before it sends a request. */
export function preflight(call: S3Call): RestResponse {
  const bucket = call.bucket();
  const origin = call.header('origin');
  const method = call.header('access-control-request-method');
  if (origin === undefined || method === undefined) {
    throw new S3Error('BadRequest', 'Insufficient information. Origin request header needed.', 400);
  }
  const requested = (call.header('access-control-request-headers') ?? '')
    .split(',')
    .map((header) => header.trim().toLowerCase())
    .filter((header) => header !== '');
  const rule = findRule(bucket, origin, method, requested);
  if (!rule) {
    throw new S3Error(
      'AccessForbidden',
      "CORSResponse: This CORS request is not allowed. This is usually because the evaluation of Origin, request method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec.",
      403,
      { Method: method, ResourceType: call.key === '' ? 'BUCKET' : 'OBJECT' },
    );
  }
  return emptyAnswer(200, {
    ...ruleHeaders(rule, origin),
    ...(requested.length > 0 && { 'access-control-allow-headers': requested.join(', ') }),
  });
}

/** Headers that let a browser read an answer, when a rule of the bucket takes its origin. */
export function corsHeaders(
  bucket: Bucket | undefined,
  origin: string,
  method: string,
): Record<string, string> {
  const rule = bucket && findRule(bucket, origin, method, []);
  return rule ? ruleHeaders(rule, origin) : {};
}

function findRule(
  bucket: Bucket,
  origin: string,
  method: string,
  headers: readonly string[],
): CorsRule | undefined {
  return bucket.cors?.find(
    (rule) =>
      rule.allowedMethods.includes(method) &&
      rule.allowedOrigins.some((pattern) => matches(pattern, origin)) &&
      headers.every((header) =>
        (rule.allowedHeaders ?? []).some((pattern) => matches(pattern.toLowerCase(), header)),
      ),
  );
}

function ruleHeaders(rule: CorsRule, origin: string): Record<string, string> {
  const any = rule.allowedOrigins.includes('*');
  return {
    'access-control-allow-origin': any ? '*' : origin,
    'access-control-allow-methods': rule.allowedMethods.join(', '),
    ...(!any && { 'access-control-allow-credentials': 'true' }),
    ...(rule.exposeHeaders && { 'access-control-expose-headers': rule.exposeHeaders.join(', ') }),
    ...(rule.maxAgeSeconds !== undefined && { 'access-control-max-age': String(rule.maxAgeSeconds) }),
    vary: 'Origin, Access-Control-Request-Headers, Access-Control-Request-Method',
  };
}

/** At most one `*` in a pattern, as S3 has it. */
function matches(pattern: string, value: string): boolean {
  const star = pattern.indexOf('*');
  if (star < 0) return pattern === value;
  const tail = pattern.slice(star + 1);
  return (
    value.length >= pattern.length - 1 && value.startsWith(pattern.slice(0, star)) && value.endsWith(tail)
  );
}
