import type { IncomingHttpHeaders } from 'node:http';
import type { CacheSelection } from './cache-key.ts';
import type { Behavior } from './definition.ts';
import type { ViewerRequest } from './viewer.ts';

/** Headers of one connection, and those that CloudFront sets itself. */
const never = new Set([
  'connection',
  'expect',
  'host',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'via',
  'x-amz-cf-id',
  'x-cache',
  'x-real-ip',
]);

/**
 * The headers of a request for its origin. With a selection of a cache policy, that and nothing else of the viewer;
 * without one, all of it, where the behavior's origin request policy says so.
 */
export function forwardedHeaders(
  { request, id, behavior }: { request: ViewerRequest; id: string; behavior: Behavior },
  selection: CacheSelection | undefined,
): Record<string, string | string[]> {
  const all = selection === undefined && behavior.OriginRequestPolicyId !== undefined;
  const own = selection === undefined ? {} : selectionHeaders(selection);
  return {
    ...(all ? withoutConnection(request.headers) : { 'user-agent': 'Amazon CloudFront', ...own }),
    ...(!all && lengthOf(request.headers)),
    via: `${request.httpVersion} local.cloudfront.net (CloudFront)`,
    'x-amz-cf-id': id,
    'x-forwarded-for': [request.headers['x-forwarded-for'], request.address]
      .flat()
      .filter(Boolean)
      .join(', '),
  };
}

function selectionHeaders({ headers, cookie }: CacheSelection): Record<string, string> {
  // The edge compresses by itself, so that one copy of the origin serves all.
  return { ...headers, ...(cookie !== '' && { cookie }), 'accept-encoding': 'identity' };
}

function lengthOf(headers: IncomingHttpHeaders): Record<string, string> {
  const length = headers['content-length'];
  return length === undefined ? {} : { 'content-length': length };
}

function withoutConnection(headers: IncomingHttpHeaders): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined || never.has(name) ? [] : [[name, value] as const],
    ),
  );
}
