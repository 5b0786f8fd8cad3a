/** What is read of a line, in the order in which a line's values are kept. */
export const columns = [
  'date',
  'time',
  'instant',
  'host',
  'site',
  'path',
  'status',
  'bytes',
  'result',
  'edge',
  'country',
  'contentType',
  'latency',
  'address',
  'agent',
  'viewer',
] as const;
export type Column = (typeof columns)[number];

/** The place of each column among a line's values. */
export const place: Readonly<Record<Column, number>> = {
  date: 0,
  time: 1,
  instant: 2,
  host: 3,
  site: 4,
  path: 5,
  status: 6,
  bytes: 7,
  result: 8,
  edge: 9,
  country: 10,
  contentType: 11,
  latency: 12,
  address: 13,
  agent: 14,
  viewer: 15,
};

/** A field of a log, the column it is for, and for durations how many milliseconds its unit has. */
export interface Field {
  readonly name: string;
  readonly column: Column;
  readonly ms?: number;
}

const field = (name: string, column: Column, ms?: number): Field => ({ name, column, ...(ms && { ms }) });

/**
 * CloudFront’s standard logs: names of the columns of the W3C form, and keys of the JSON form. Of two fields for one column
 * the first counts. `cs(Host)` is the name of the distribution, and the website’s only where there is no other.
 */
export const cloudFrontFields: readonly Field[] = [
  field('date', 'date'),
  field('time', 'time'),
  field('timestamp(ms)', 'instant'),
  field('timestamp', 'instant'),
  field('x-host-header', 'host'),
  field('cs(Host)', 'host'),
  field('distribution-tenant-id', 'site'),
  field('cs-uri-stem', 'path'),
  field('sc-status', 'status'),
  field('sc-bytes', 'bytes'),
  field('x-edge-result-type', 'result'),
  field('x-edge-response-result-type', 'result'),
  field('x-edge-location', 'edge'),
  field('c-country', 'country'),
  field('sc-content-type', 'contentType'),
  field('time-taken', 'latency', 1000),
  field('c-ip', 'address'),
  field('cs(User-Agent)', 'agent'),
];

/** Cloudflare Logpush, dataset `http_requests`. */
export const cloudflareFields: readonly Field[] = [
  field('EdgeStartTimestamp', 'instant'),
  field('EdgeEndTimestamp', 'instant'),
  field('ClientRequestHost', 'host'),
  field('ClientRequestPath', 'path'),
  field('ClientRequestURI', 'path'),
  field('EdgeResponseStatus', 'status'),
  field('EdgeResponseBytes', 'bytes'),
  field('CacheCacheStatus', 'result'),
  field('EdgeColoCode', 'edge'),
  field('ClientCountry', 'country'),
  field('EdgeResponseContentType', 'contentType'),
  field('EdgeTimeToFirstByteMs', 'latency', 1),
  field('ClientIP', 'address'),
  field('ClientRequestUserAgent', 'agent'),
];

/** Fastly: the keys of the JSON format that Fastly proposes for its log endpoints, and those that its answers lack. */
export const fastlyFields: readonly Field[] = [
  field('timestamp', 'instant'),
  field('time_start', 'instant'),
  field('host', 'host'),
  field('url', 'path'),
  field('response_status', 'status'),
  field('response_bytes', 'bytes'),
  field('response_body_size', 'bytes'),
  field('response_state', 'result'),
  field('fastly_server', 'edge'),
  field('geo_country_code', 'country'),
  field('response_content_type', 'contentType'),
  field('time_elapsed_ms', 'latency', 1),
  field('client_ip', 'address'),
  field('request_user_agent', 'agent'),
  field('fastly_is_edge', 'viewer'),
];
