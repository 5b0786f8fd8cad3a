import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { type OriginAnswer, OriginError, type OriginRequest } from './origin.ts';

/** Headers of one connection, which no proxy passes on. */
const ofConnection = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/**
 * Asks an origin over HTTP.
 *
 * @param timeoutMs until the first byte of the answer, and between any two.
 * @throws {OriginError} when it cannot be reached or does not answer in time.
 */
export function fetchOverHttp(base: URL, request: OriginRequest, timeoutMs: number): Promise<OriginAnswer> {
  const send = base.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const outgoing = send(
      {
        // Not resolved as a URL: a path that begins with two slashes would name another host.
        hostname: base.hostname.replace(/^\[(.*)\]$/, '$1'),
        port: base.port,
        path: request.url,
        method: request.method,
        headers: { ...request.headers, host: base.host },
        timeout: timeoutMs,
        signal: request.signal,
      },
      (response) => resolve(answerOf(response)),
    );
    outgoing.once('timeout', () =>
      outgoing.destroy(new OriginError(504, `${base.host} did not answer within ${timeoutMs} ms`)),
    );
    outgoing.once('error', (error) =>
      reject(
        error instanceof OriginError
          ? error
          : new OriginError(502, `${base.host} cannot be reached: ${error.message}`, { cause: error }),
      ),
    );
    if (request.body === undefined) outgoing.end();
    else request.body.once('error', (error) => outgoing.destroy(error)).pipe(outgoing);
  });
}

function answerOf(response: IncomingMessage): OriginAnswer {
  const headers: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(response.headers)) {
    if (value !== undefined && !ofConnection.has(name)) headers[name] = value;
  }
  return { status: response.statusCode ?? 502, headers, body: response };
}
