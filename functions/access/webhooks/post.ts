import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { redact } from '../../shared/redact.ts';
import { DeliveryError } from './delivery-error.ts';
import { hostOf, type Target } from './resolve-public.ts';

export interface PostOptions {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Milliseconds until connecting counts as failed, TLS included. Default 5 000. */
  readonly connectMs?: number;
  /** Milliseconds until the whole answer has to be there. Default 15 000. */
  readonly totalMs?: number;
  /** Certificate authorities to trust, in PEM. Default: those of Node.js. */
  readonly authorities?: readonly string[];
}

export interface Answer {
  readonly status: number;
  /** The first visible characters of the body, at most 200; nothing else of it is kept. */
  readonly text: string;
  readonly retryAfter: string | undefined;
}

/** How much of an answer's body is read at most, in bytes; the rest is not waited for. */
const readBytes = 16_384;
const shownCharacters = 200;
/** For an answer's headers together, in bytes. */
const headerBytes = 16_384;

/**
 * Sends a POST request to the target's address and to no other, with the URL's name in SNI and `Host`. Redirects are not
 * followed, connections are not kept, and proxies of the environment are not used.
 *
 * @throws DeliveryError when there is no answer: refused, too slow, or not in valid TLS or HTTP.
 */
export async function post(target: Target, options: PostOptions): Promise<Answer> {
  const { connectMs = 5_000, totalMs = 15_000 } = options;
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const tooLate = (what: string) => () => reject(new DeliveryError('timeout', what));
  const timers = [setTimeout(tooLate('There was no whole answer in time.'), totalMs)];
  const secure = target.url.protocol === 'https:';
  const request = (secure ? httpsRequest : httpRequest)(requestOptions(target, options));
  const connecting = setTimeout(tooLate('The connection was not established in time.'), connectMs);
  timers.push(connecting);
  request.on('socket', (socket) => {
    socket.once(secure ? 'secureConnect' : 'connect', () => clearTimeout(connecting));
  });
  request.on('error', (error) => reject(describe(error)));
  request.on('response', (response) => {
    readAnswer(response).then(resolve, reject);
  });
  request.end(options.body);
  try {
    return await promise;
  } finally {
    for (const timer of timers) clearTimeout(timer);
    request.destroy();
  }
}

function requestOptions({ url, address, family }: Target, options: PostOptions): RequestOptions {
  const host = hostOf(url);
  // Called for names alone; an address in the URL is the one that was checked.
  const lookup: LookupFunction = (_name, { all }, callback) => {
    if (all === true) callback(null, [{ address, family }]);
    else callback(null, address, family);
  };
  return {
    method: 'POST',
    host,
    port: url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port),
    path: `${url.pathname}${url.search}`,
    headers: {
      ...options.headers,
      host: url.host,
      'content-length': String(Buffer.byteLength(options.body)),
    },
    agent: false,
    lookup,
    servername: isIP(host) === 0 ? host : '',
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
    maxHeaderSize: headerBytes,
    ...(options.authorities === undefined ? {} : { ca: [...options.authorities] }),
  };
}

function readAnswer(response: IncomingMessage): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const chunks: Buffer[] = [];
  let size = 0;
  const finish = () => {
    resolve({
      status: response.statusCode ?? 0,
      text: visibleText(Buffer.concat(chunks).subarray(0, readBytes)),
      retryAfter: response.headers['retry-after'],
    });
  };
  response.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    size += chunk.length;
    if (size < readBytes) return;
    response.pause();
    finish();
  });
  response.on('end', finish);
  response.on('error', () =>
    reject(new DeliveryError('answer-broken', 'The connection ended within the answer.')),
  );
  return promise;
}

/** Text that is safe to show: no control or invisible characters, white space collapsed. */
export function visibleText(bytes: Buffer): string {
  const text = bytes.toString('utf8').replaceAll(/[\p{C}\p{Z}]+/gu, ' ');
  return Array.from(redact(text.trim())).slice(0, shownCharacters).join('');
}

/** The code alone: messages of Node.js name addresses. */
function describe(error: Error): DeliveryError {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : 'unknown';
  if (/CERT|SIGNATURE|^ERR_SSL|^ERR_TLS|^EPROTO$/.test(code)) {
    return new DeliveryError('tls-failed', `TLS was not established: ${code}.`);
  }
  if (code.startsWith('HPE_')) {
    return new DeliveryError('answer-broken', `The answer is not valid HTTP: ${code}.`);
  }
  return new DeliveryError('connection-failed', `The connection failed: ${code}.`);
}
