import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { GatewayResponse } from './response.ts';

/** How long a client may go on sending a body that nobody wants, in ms. */
const drainMs = 5000;

/**
 * Sends a response. The rest of an unread body is let pass, so that the client gets to read it.
 *
 * @param bodyComes whether the client sends a body it has announced; not when it waits to be asked.
 */
export function send(
  request: IncomingMessage,
  response: ServerResponse,
  answer: GatewayResponse,
  bodyComes: boolean,
): void {
  if (response.destroyed) return;
  const { statusCode, headers, cookies, body } = answer;
  const bodyless = statusCode === 204 || statusCode === 304;
  const unread = !request.complete;
  response.writeHead(statusCode, {
    ...headers,
    ...(cookies.length === 0 ? {} : { 'set-cookie': [...cookies] }),
    ...(bodyless ? {} : { 'content-length': body.length }),
    ...(unread ? { connection: 'close' } : {}),
  });
  if (!unread || !bodyComes) {
    response.end(bodyless ? undefined : body);
    return;
  }
  if (!bodyless) response.write(body);
  const end = (): void => {
    clearTimeout(timer);
    response.end();
  };
  const timer = setTimeout(() => request.socket.destroy(), drainMs).unref();
  request.once('end', end);
  request.once('close', end);
  request.resume();
}

/** Answers bytes that are no request, or a request that took too long. */
export function refuseBytes(socket: Duplex, code: string | undefined): void {
  if (!socket.writable || code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const [status, message] =
    code === 'HPE_HEADER_OVERFLOW'
      ? ['431 Request Header Fields Too Large', 'Request Header Fields Too Large']
      : code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? ['408 Request Timeout', 'Request Timeout']
        : ['400 Bad Request', 'Bad Request'];
  const body = JSON.stringify({ message });
  socket.end(
    `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
  );
}
