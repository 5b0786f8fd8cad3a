import { Readable } from 'node:stream';
import {
  type AccumulatorOptions,
  LogAccumulator,
  type LogSummary,
} from '../../../../../functions/cdn/analytics/accumulator.ts';
import { readLog } from '../../../../../functions/cdn/analytics/read-log.ts';

/** A request, in the words of no log in particular. */
export interface Request {
  /** Seconds after 2026-11-20 10:00 UTC. */
  second: number;
  host: string;
  path: string;
  status: number;
  bytes: number;
  result: 'Hit' | 'Miss' | 'Error';
  edge: string;
  country: string;
  type: string;
  ms: number;
  address: string;
}

export const begin = Date.parse('2026-11-20T10:00:00Z') / 1000;

export const request = (changes: Partial<Request> = {}): Request => ({
  ...{ second: 0, host: 'acme.sites.example', path: '/index.html', status: 200, bytes: 1_000, result: 'Hit' },
  ...{ edge: 'FRA56-P4', country: 'DE', type: 'text/html', ms: 82, address: '192.0.2.1' },
  ...changes,
});

const at = (second: number) => new Date((begin + second) * 1000).toISOString();

const values = (each: Request): Record<string, string | number> => ({
  date: at(each.second).slice(0, 10),
  time: at(each.second).slice(11, 19),
  'x-edge-location': each.edge,
  'sc-bytes': each.bytes,
  'c-ip': each.address,
  'cs(Host)': 'd111.cloudfront.net',
  'cs-uri-stem': each.path,
  'sc-status': each.status,
  'cs(User-Agent)': 'Mozilla/5.0%20(X11)',
  'x-edge-result-type': each.result,
  'x-host-header': each.host,
  'time-taken': (each.ms / 1000).toFixed(3),
  'sc-content-type': each.type,
  'c-country': each.country,
});

/** As CloudFront writes them in the W3C form, with the columns in the order given. */
export function w3c(requests: readonly Request[], names = Object.keys(values(request()))): string {
  const lines = requests.map((each) => names.map((name) => values(each)[name] ?? '-').join('\t'));
  return `${['#Version: 1.0', `#Fields: ${names.join(' ')}`, ...lines].join('\n')}\n`;
}

const lines = (objects: readonly object[]) => objects.map((each) => `${JSON.stringify(each)}\n`).join('');

/** As CloudFront writes them in the JSON form: every value is a text. */
export const cloudFrontJson = (requests: readonly Request[]): string =>
  lines(
    requests.map((each) =>
      Object.fromEntries(Object.entries(values(each)).map(([name, value]) => [name, String(value)])),
    ),
  );

/** As Cloudflare’s Logpush writes them; its clock is in nanoseconds by default. */
export const cloudflare = (requests: readonly Request[]): string =>
  lines(
    requests.map((each) => ({
      EdgeStartTimestamp: (begin + each.second) * 1e9,
      ClientRequestHost: each.host,
      ClientRequestURI: `${each.path}?v=1`,
      EdgeResponseStatus: each.status,
      EdgeResponseBytes: each.bytes,
      CacheCacheStatus: each.result === 'Error' ? 'dynamic' : each.result.toLowerCase(),
      EdgeColoCode: each.edge,
      ClientCountry: each.country.toLowerCase(),
      EdgeResponseContentType: each.type,
      EdgeTimeToFirstByteMs: each.ms,
      ClientIP: each.address,
      ClientRequestUserAgent: 'Mozilla/5.0%20(X11)',
    })),
  );

/** As Fastly writes them by the format of the manual. */
export const fastly = (requests: readonly Request[]): string =>
  lines(
    requests.map((each) => ({
      timestamp: at(each.second),
      host: each.host,
      url: `${each.path}?v=1`,
      response_status: each.status,
      response_bytes: each.bytes,
      response_state: each.result === 'Error' ? 'PASS' : `${each.result.toUpperCase()}-CLUSTER`,
      fastly_server: each.edge,
      geo_country_code: each.country,
      response_content_type: each.type,
      time_elapsed_ms: each.ms,
      client_ip: each.address,
      request_user_agent: 'Mozilla/5.0%20(X11)',
      fastly_is_edge: true,
    })),
  );

export const websites = { patterns: ['{tenant}.sites.example'], hosts: {}, distributionTenants: {} };

const options: AccumulatorOptions = { websites, resets: [], oldest: 0, newest: begin + 1e6 };

/** Counts a log that arrives in pieces. */
export async function count(
  pieces: readonly (string | Buffer)[],
  changes: Partial<AccumulatorOptions> = {},
): Promise<LogSummary> {
  const accumulator = new LogAccumulator({ ...options, ...changes });
  await readLog(Readable.from(pieces.map((piece) => Buffer.from(piece))), accumulator);
  return accumulator.finish();
}

/** Everything of a summary, in a form that can be compared. */
export function plain({ intervals, ...counts }: LogSummary): unknown {
  const all = [...intervals].flatMap(([start, tenants]) =>
    [...tenants].map(([tenant, traffic]) => [start, tenant, traffic.toBytes().toString('base64')]),
  );
  return { ...counts, all: all.map((each) => each.join(' ')).sort() };
}
