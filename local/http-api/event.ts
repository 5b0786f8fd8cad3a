import { commonLogTime } from './common-log-time.ts';
import type { Exchange } from './exchange.ts';
import type { Target } from './incoming.ts';
import type { RouteMatch } from './routing.ts';

/** What an event is made of, besides the request itself. */
export interface EventParts extends Target {
  body: Buffer;
  match: RouteMatch;
  stageVariables: Readonly<Record<string, string>> | undefined;
}

/** Connection matters that end at the gateway, and what the event carries elsewhere. */
const notPassedOn = new Set([
  'connection',
  'cookie',
  'expect',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** The event of payload format 2.0, as JSON text. */
export function eventOf(exchange: Exchange, parts: EventParts): string {
  const { request, place, receivedAt } = exchange;
  const { match, body, stageVariables } = parts;
  const headers = headersOf(exchange, body.length);
  const cookies = (request.headers.cookie ?? '')
    .split(';')
    .map((cookie) => cookie.trim())
    .filter((cookie) => cookie !== '');
  const query = queryOf(parts.rawQueryString);
  // API Gateway decodes the path of HTTP APIs, although it calls it raw.
  const path = decodeURIComponent(parts.rawPath);
  const text = body.length === 0 ? undefined : textOf(body, headers['content-type']);
  return JSON.stringify({
    version: '2.0',
    routeKey: match.routeKey,
    rawPath: path,
    rawQueryString: parts.rawQueryString,
    ...(cookies.length === 0 ? {} : { cookies }),
    headers,
    ...(query === undefined ? {} : { queryStringParameters: query }),
    requestContext: {
      accountId: place.accountId,
      apiId: place.apiId,
      domainName: place.domainName,
      domainPrefix: place.apiId,
      http: {
        method: request.method,
        path,
        protocol: `HTTP/${request.httpVersion}`,
        sourceIp: exchange.sourceIp,
        userAgent: headers['user-agent'] ?? '',
      },
      requestId: exchange.requestId,
      routeKey: match.routeKey,
      stage: place.stage,
      time: commonLogTime(receivedAt),
      timeEpoch: receivedAt.getTime(),
    },
    ...(match.pathParameters === undefined ? {} : { pathParameters: match.pathParameters }),
    ...(stageVariables === undefined ? {} : { stageVariables }),
    ...(body.length === 0 ? {} : { body: text ?? body.toString('base64') }),
    isBase64Encoded: body.length > 0 && text === undefined,
  });
}

/** Header names in lower case, the values of repeated headers joined. */
function headersOf(exchange: Exchange, bodyBytes: number): Record<string, string> {
  const { request, place, sourceIp, traceHeader } = exchange;
  const values = new Map<string, string>();
  for (let index = 0; index + 1 < request.rawHeaders.length; index += 2) {
    const name = (request.rawHeaders[index] ?? '').toLowerCase();
    const value = request.rawHeaders[index + 1] ?? '';
    if (notPassedOn.has(name)) continue;
    const before = values.get(name);
    values.set(name, before === undefined ? value : `${before},${value}`);
  }
  const forwarded = values.get('x-forwarded-for');
  if (!values.has('host')) values.set('host', place.domainName);
  values.set('content-length', String(bodyBytes));
  values.set('x-amzn-trace-id', traceHeader);
  values.set('x-forwarded-for', forwarded === undefined ? sourceIp : `${forwarded}, ${sourceIp}`);
  values.set('x-forwarded-port', String(place.port));
  values.set('x-forwarded-proto', 'http');
  return Object.fromEntries([...values].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Decoded parameters, the values of repeated ones joined. */
function queryOf(rawQueryString: string): Record<string, string> | undefined {
  const values = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(rawQueryString)) {
    const before = values.get(name);
    values.set(name, before === undefined ? value : `${before},${value}`);
  }
  return values.size === 0 ? undefined : Object.fromEntries(values);
}

/** The body as text, where its content type says that it is text and its bytes agree. */
function textOf(body: Buffer, contentType: string | undefined): string | undefined {
  const type = (contentType ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  const isText = /^(text\/.*|application\/(.*\+)?(json|xml)|application\/javascript)$/.test(type);
  if (!isText) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
  } catch {
    return undefined;
  }
}
