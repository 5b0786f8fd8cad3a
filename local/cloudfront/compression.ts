import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { Encoding } from './cache-key.ts';
import type { OriginHead } from './freshness.ts';

const brotli = promisify(brotliCompress);
const deflate = promisify(gzip);

/** Sizes of answers that CloudFront compresses, in bytes. */
const [smallest, largest] = [1_000, 10_000_000];

/**
 * What CloudFront compresses.
 * @see https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/ServingCompressedFiles.html
 */
const types = new Set([
  'application/dash+xml',
  'application/eot',
  'application/font',
  'application/font-sfnt',
  'application/javascript',
  'application/json',
  'application/opentype',
  'application/otf',
  'application/pdf',
  'application/pkcs7-mime',
  'application/protobuf',
  'application/rss+xml',
  'application/truetype',
  'application/ttf',
  'application/vnd.apple.mpegurl',
  'application/vnd.mapbox-vector-tile',
  'application/vnd.ms-fontobject',
  'application/wasm',
  'application/xhtml+xml',
  'application/xml',
  'application/x-font-opentype',
  'application/x-font-truetype',
  'application/x-font-ttf',
  'application/x-httpd-cgi',
  'application/x-javascript',
  'application/x-mpegurl',
  'application/x-opentype',
  'application/x-otf',
  'application/x-perl',
  'application/x-ttf',
  'font/eot',
  'font/opentype',
  'font/otf',
  'font/ttf',
  'image/svg+xml',
  'text/css',
  'text/csv',
  'text/html',
  'text/javascript',
  'text/js',
  'text/plain',
  'text/richtext',
  'text/tab-separated-values',
  'text/x-component',
  'text/x-java-source',
  'text/x-script',
  'text/xml',
  'vnd.apple.mpegurl',
]);

/** Compresses an answer as CloudFront does, where it does: the entity tag becomes a weak one. */
export async function compressed(
  head: OriginHead,
  body: Buffer,
  encodings: readonly Encoding[],
): Promise<{ head: OriginHead; body: Buffer }> {
  const [encoding] = encodings;
  const type =
    String(head.headers['content-type'] ?? '')
      .split(';', 1)[0]
      ?.trim()
      .toLowerCase() ?? '';
  const fits = body.length >= smallest && body.length <= largest && types.has(type);
  const untouched = 'content-encoding' in head.headers || ![200, 403, 404].includes(head.status);
  if (encoding === undefined || untouched || !fits) return { head, body };
  const smaller =
    encoding === 'br'
      ? await brotli(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } })
      : await deflate(body);
  const { etag, ...headers } = head.headers;
  return {
    body: smaller,
    head: {
      status: head.status,
      headers: {
        ...headers,
        ...(etag !== undefined && { etag: String(etag).replace(/^(?!W\/)/, 'W/') }),
        'content-encoding': encoding,
        vary: [headers.vary, 'Accept-Encoding'].filter((value) => value !== undefined).join(', '),
      },
    },
  };
}
