import type { IncomingMessage } from 'node:http';

/** Bytes that request line and header values may have together: 10 KB. */
const headLimit = 10_240;
/** Bytes that a body may have: 10 MB. */
export const bodyLimit = 10 * 1024 * 1024;

/** Where a request goes, as it was sent. */
export interface Target {
  /** Path without the query; nothing in it is decoded or normalised. */
  rawPath: string;
  rawQueryString: string;
}

/** Reads a request's target; undefined when it is malformed. */
export function targetOf(request: IncomingMessage): Target | undefined {
  // A client may send the whole URL, as to a proxy.
  const url = (request.url ?? '').replace(/^https?:\/\/[^/?#]*/i, '');
  if (!url.startsWith('/') || /[^\x21-\x7e]|#/.test(url)) return undefined;
  const mark = url.indexOf('?');
  const rawPath = mark < 0 ? url : url.slice(0, mark);
  try {
    decodeURIComponent(rawPath);
  } catch {
    return undefined;
  }
  return { rawPath, rawQueryString: mark < 0 ? '' : url.slice(mark + 1) };
}

/** Whether request line and headers are larger than API Gateway takes. */
export function headIsTooLarge(request: IncomingMessage): boolean {
  const line = `${request.method} ${request.url} HTTP/${request.httpVersion}`;
  const values = request.rawHeaders.filter((_, index) => index % 2 === 1);
  return line.length + values.reduce((sum, value) => sum + value.length, 0) > headLimit;
}

/** Whether a request says that its body is larger than API Gateway takes. */
export function declaresTooMuch(request: IncomingMessage): boolean {
  return Number(request.headers['content-length'] ?? 0) > bodyLimit;
}

/**
 * Reads a body.
 *
 * @returns `too large` as soon as it is; the rest is left unread.
 * @throws when the client goes away.
 */
export async function readBody(request: IncomingMessage): Promise<Buffer | 'too large'> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  return new Promise((resolve, reject) => {
    const onData = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (bytes > bodyLimit) {
        request.off('data', onData).pause();
        resolve('too large');
      } else chunks.push(chunk);
    };
    request.on('data', onData);
    request.once('end', () => resolve(Buffer.concat(chunks)));
    request.once('error', reject);
    request.once('close', () => reject(new Error('The client went away.')));
  });
}

/** The address of whoever is at the other end of the connection, never what a header says. */
export function sourceIpOf(request: IncomingMessage): string {
  return (request.socket.remoteAddress ?? '').replace(/^::ffff:/, '');
}
