import type { Exchanged } from '../edge-server.ts';
import { splitTarget } from '../request-target.ts';

/**
 * The fields that CloudFront logs where a delivery names none, in their order.
 * @see https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logs-reference.html
 */
export const standardFields = [
  'date',
  'time',
  'x-edge-location',
  'sc-bytes',
  'c-ip',
  'cs-method',
  'cs(Host)',
  'cs-uri-stem',
  'sc-status',
  'cs(Referer)',
  'cs(User-Agent)',
  'cs-uri-query',
  'cs(Cookie)',
  'x-edge-result-type',
  'x-edge-request-id',
  'x-host-header',
  'cs-protocol',
  'cs-bytes',
  'time-taken',
  'x-forwarded-for',
  'ssl-protocol',
  'ssl-cipher',
  'x-edge-response-result-type',
  'cs-protocol-version',
  'fle-status',
  'fle-encrypted-fields',
  'c-port',
  'time-to-first-byte',
  'x-edge-detailed-result-type',
  'sc-content-type',
  'sc-content-len',
  'sc-range-start',
  'sc-range-end',
] as const;

/** Further fields that a delivery may name. */
export const optionalFields = [
  'timestamp(ms)',
  'DistributionId',
  'distribution-tenant-id',
  'c-country',
  'cache-behavior-path-pattern',
] as const;

export type Field = (typeof standardFields)[number] | (typeof optionalFields)[number];

/** What a field holds when there is nothing to say. */
const nothing = '-';

/** One exchange as the fields of its line; texts of the viewer are escaped as CloudFront escapes them. */
export function fieldsOf(
  exchanged: Exchanged,
  edge: { location: string; domainName: string },
): Record<Field, string> {
  const { request, answer, endedAt, startedAt } = exchanged;
  const ended = new Date(endedAt).toISOString();
  const header = (name: string) => escaped(String(request.headers[name] ?? ''));
  const range = /^bytes (\d+)-(\d+)\//.exec(String(answer.headers['content-range'] ?? ''));
  return {
    date: ended.slice(0, 10),
    time: ended.slice(11, 19),
    'x-edge-location': edge.location,
    'sc-bytes': String(exchanged.headBytes + exchanged.sentBytes),
    'c-ip': request.address.replace(/^::ffff:/, ''),
    'cs-method': request.method,
    'cs(Host)': edge.domainName,
    'cs-uri-stem': escaped(answer.path),
    'sc-status': String(answer.status),
    'cs(Referer)': header('referer'),
    'cs(User-Agent)': header('user-agent'),
    'cs-uri-query': escaped(splitTarget(request.url).query === '' ? '' : answer.query),
    'cs(Cookie)': nothing,
    'x-edge-result-type': answer.result,
    'x-edge-request-id': answer.id,
    'x-host-header': header('host'),
    // The loopback interface stands in for TLS.
    'cs-protocol': 'https',
    'cs-bytes': String(exchanged.receivedBytes),
    'time-taken': seconds(endedAt - startedAt),
    'x-forwarded-for': header('x-forwarded-for'),
    'ssl-protocol': nothing,
    'ssl-cipher': nothing,
    'x-edge-response-result-type': answer.result,
    'cs-protocol-version': `HTTP/${request.httpVersion}`,
    'fle-status': nothing,
    'fle-encrypted-fields': nothing,
    'c-port': String(exchanged.port),
    'time-to-first-byte': seconds(exchanged.firstByteAt - startedAt),
    'x-edge-detailed-result-type': answer.detail,
    'sc-content-type': escaped(String(answer.headers['content-type'] ?? '')),
    'sc-content-len': String(answer.headers['content-length'] ?? nothing),
    'sc-range-start': range?.[1] ?? nothing,
    'sc-range-end': range?.[2] ?? nothing,
    'timestamp(ms)': String(endedAt),
    DistributionId: answer.place?.distribution.id ?? nothing,
    'distribution-tenant-id': answer.place?.tenant?.id ?? nothing,
    // There are no countries on this machine.
    'c-country': nothing,
    'cache-behavior-path-pattern': answer.pattern ?? nothing,
  };
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(3);
}

/** Percent-encodes what would break a line, and the characters that CloudFront encodes beside them. */
function escaped(text: string): string {
  if (text === '') return nothing;
  const bytes = [...Buffer.from(text, 'utf8')];
  return bytes
    .map((byte) => {
      const character = String.fromCharCode(byte);
      const plain = byte > 0x20 && byte < 0x7f && !'"#<>[]\\^`{|}~'.includes(character);
      return plain ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    })
    .join('');
}
