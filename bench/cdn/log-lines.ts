import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';

export const fields =
  'date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol cs-bytes time-taken x-forwarded-for ssl-protocol ssl-cipher x-edge-response-result-type cs-protocol-version fle-status fle-encrypted-fields c-port time-to-first-byte x-edge-detailed-result-type sc-content-type sc-content-len sc-range-start sc-range-end';

const edges = ['FRA56-P4', 'IAD89-C1', 'NRT57-P2', 'LHR61-C2', 'SFO53-P1', 'SIN2-P6', 'GRU1-C2', 'CDG52-P3'];
const types = ['text/html', 'image/webp', 'application/javascript', 'text/css', 'font/woff2', 'video/mp4'];
const systems = [
  'Macintosh;%20Intel%20Mac%20OS%20X%2010_15_7',
  'Windows%20NT%2010.0;%20Win64;%20x64',
  'X11;%20Linux%20x86_64',
];

/** Paths that there are; how often one is asked for falls with its number (Zipf). */
export const paths = 20_000;

/** A generator of the same numbers for the same seed (Marsaglia’s xorshift). */
function random(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** Lines as CloudFront writes them, 33 fields each, of three hours; the same for the same count. */
export function* logChunks(lines: number): Generator<string> {
  const next = random(0x2545f491);
  const pick = <T>(list: readonly T[]): T | undefined => list[Math.floor(next() * list.length)];
  let chunk = `#Version: 1.0\n#Fields: ${fields}\n`;
  for (let index = 0; index < lines; index += 1) {
    const second = Math.floor((index / lines) * 3 * 3600);
    const two = (value: number) => String(Math.floor(value)).padStart(2, '0');
    const time = `${two(9 + second / 3600)}:${two((second / 60) % 60)}:${two(second % 60)}`;
    const path = Math.floor(paths ** next());
    const hit = next() < 0.86;
    const status = next() < 0.97 ? 200 : next() < 0.8 ? 404 : 503;
    const result = status >= 400 ? 'Error' : hit ? 'Hit' : 'Miss';
    const bytes = 500 + Math.floor(next() ** 4 * 400_000);
    const visitor = Math.floor(next() * 60_000);
    const address = `203.${visitor % 251}.${(visitor >> 4) % 241}.${visitor % 239}`;
    const agent = `Mozilla/5.0%20(${pick(systems)})%20AppleWebKit/537.36%20(KHTML,%20like%20Gecko)%20Chrome/${120 + (visitor % 20)}.0.0.0%20Safari/537.36`;
    const taken = (next() ** 6 * 4).toFixed(3);
    const id = `${(next() * 2 ** 32) >>> 0}${(next() * 2 ** 32) >>> 0}aGVsbG8gd29ybGQ==`;
    chunk += `2026-11-20\t${time}\t${pick(edges)}\t${bytes}\t${address}\tGET\td111111abcdef8.cloudfront.net\t/assets/section-${path % 40}/page-${path}.html\t${status}\thttps://www.example.com/\t${agent}\t-\t-\t${result}\t${id}\twww.example.com\thttps\t312\t${taken}\t-\tTLSv1.3\tTLS_AES_128_GCM_SHA256\t${result}\tHTTP/2.0\t-\t-\t${1024 + (visitor % 60_000)}\t${taken}\t${result}\t${pick(types)}\t${bytes - 300}\t-\t-\n`;
    if (chunk.length > 1 << 18) {
      yield chunk;
      chunk = '';
    }
  }
  yield chunk;
}

/** Writes such a log to a file, and the same compressed beside it (`.gz`), at a level of gzip. */
export async function writeLog(file: string, lines: number, level = 6): Promise<void> {
  await pipeline(Readable.from(logChunks(lines)), createWriteStream(file));
  await pipeline(Readable.from(logChunks(lines)), createGzip({ level }), createWriteStream(`${file}.gz`));
}
