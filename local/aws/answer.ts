import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { RestResponse } from './api.ts';

/** How long a client may go on sending a body that nobody reads, in milliseconds. */
const drainTime = 10_000;

/**
 * Sends an answer. A stream that fails midway cuts the connection, so that the client does not take
 * the part for the whole; a client that goes away destroys the stream.
 */
export async function sendAnswer(
  request: IncomingMessage,
  response: ServerResponse,
  answer: RestResponse,
): Promise<void> {
  const body = answer.body;
  if (response.destroyed) {
    if (body instanceof Readable) body.destroy();
    return;
  }
  const bodyless = request.method === 'HEAD' || answer.status === 204 || answer.status === 304;
  response.statusCode = answer.status;
  for (const [name, value] of Object.entries(answer.headers ?? {})) response.setHeader(name, value);
  if (body instanceof Readable && !bodyless) {
    await pipeline(body, response).catch(() => response.destroy());
  } else {
    if (body instanceof Readable) body.destroy();
    const bytes = body instanceof Readable || body === undefined ? Buffer.alloc(0) : Buffer.from(body);
    if (!response.hasHeader('content-length') && answer.status !== 204 && answer.status !== 304) {
      response.setHeader('content-length', bytes.length);
    }
    response.end(bodyless ? undefined : bytes);
  }
  drain(request);
}

/** Lets the rest of an unread body pass, for a while, so that the client gets to read its answer. */
function drain(request: IncomingMessage): void {
  if (request.complete || request.destroyed) return;
  request.unpipe();
  request.resume();
  const timer = setTimeout(() => request.socket.destroy(), drainTime);
  timer.unref();
  request.once('close', () => clearTimeout(timer));
}
