import type { IncomingHttpHeaders } from 'node:http';
import type { CorsConfiguration } from './definition.ts';

/** Whether a request asks what cross-origin access there is. */
export function isPreflight(method: string, headers: IncomingHttpHeaders): boolean {
  return (
    method === 'OPTIONS' &&
    headers.origin !== undefined &&
    headers['access-control-request-method'] !== undefined
  );
}

/** Headers of the answer to a preflight; none when the origin is not allowed. */
export function preflightHeaders(
  cors: CorsConfiguration,
  origin: string | undefined,
): Record<string, string> {
  const allowed = allowOrigin(cors, origin);
  if (allowed === undefined) return {};
  return {
    ...originHeaders(cors, allowed),
    ...list('access-control-allow-methods', cors.allowMethods),
    ...list('access-control-allow-headers', cors.allowHeaders),
    ...(cors.maxAgeSeconds === undefined ? {} : { 'access-control-max-age': String(cors.maxAgeSeconds) }),
  };
}

/** Headers of a response, in place of those that an integration gives for cross-origin access. */
export function responseHeaders(
  cors: CorsConfiguration,
  origin: string | undefined,
  headers: Readonly<Record<string, string>>,
): Record<string, string> {
  const own = Object.entries(headers).filter(([name]) => !name.startsWith('access-control-'));
  const allowed = allowOrigin(cors, origin);
  return {
    ...Object.fromEntries(own),
    ...(allowed === undefined
      ? {}
      : { ...originHeaders(cors, allowed), ...list('access-control-expose-headers', cors.exposeHeaders) }),
  };
}

function originHeaders(cors: CorsConfiguration, allowed: string): Record<string, string> {
  return {
    'access-control-allow-origin': allowed,
    ...(cors.allowCredentials === true ? { 'access-control-allow-credentials': 'true' } : {}),
  };
}

function allowOrigin(cors: CorsConfiguration, origin: string | undefined): string | undefined {
  if (origin === undefined) return undefined;
  const origins = cors.allowOrigins ?? [];
  if (origins.includes('*')) return '*';
  const allowed = origins.some(
    (entry) => entry === origin || (/^https?:\/\/\*$/.test(entry) && origin.startsWith(entry.slice(0, -1))),
  );
  return allowed ? origin : undefined;
}

function list(name: string, values: readonly string[] | undefined): Record<string, string> {
  return values === undefined || values.length === 0 ? {} : { [name]: values.join(',') };
}
