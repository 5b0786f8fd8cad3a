import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { createServer as createTcpServer, type Socket, type Server as TcpServer } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { listen } from '../listen.ts';
import type { ViewerAnswer, ViewerRequest } from './viewer.ts';

/** One exchange with a viewer, when it is over. */
export interface Exchanged {
  request: ViewerRequest;
  answer: ViewerAnswer;
  /** Bytes of the answer's body that were sent. */
  sentBytes: number;
  /** Bytes of the answer's head. */
  headBytes: number;
  /** Bytes of the request: its head, and the body it declares. */
  receivedBytes: number;
  port: number;
  startedAt: number;
  firstByteAt: number;
  endedAt: number;
}

export interface EdgeServerOptions {
  /** Taken when it is free; else any free port. 0: any. */
  preferredPort: number;
  host: string;
  /** Certificate and key in PEM; without them there is no TLS. */
  tls?: { certificate: string; key: string };
  answer: (request: ViewerRequest) => Promise<ViewerAnswer>;
  onExchanged: (exchanged: Exchanged) => void;
}

/** First byte of a TLS connection: a handshake record. */
const handshake = 0x16;
const maxHeaderSize = 32 * 1024;
/** How long a connection may say nothing at all, in ms. */
const silenceMs = 10_000;
/** How long `stop` lets running requests end, in ms. */
const graceMs = 1000;

/** HTTP/1.1 on one port, with and without TLS: the first byte of a connection tells. */
export class EdgeServer {
  readonly #options: EdgeServerOptions;
  readonly #plain: Server;
  readonly #secure: Server | undefined;
  readonly #front: TcpServer;
  readonly #sockets = new Set<Socket>();
  #port = 0;

  constructor(options: EdgeServerOptions) {
    this.#options = options;
    const settings = {
      maxHeaderSize,
      headersTimeout: 10_000,
      requestTimeout: 60_000,
      keepAliveTimeout: 60_000,
    };
    const listener = (request: IncomingMessage, response: ServerResponse) =>
      void this.#handle(request, response);
    this.#plain = createServer(settings, listener);
    this.#secure =
      options.tls &&
      createSecureServer({ ...settings, cert: options.tls.certificate, key: options.tls.key }, listener);
    this.#front = createTcpServer((socket) => this.#accept(socket));
  }

  get port(): number {
    return this.#port;
  }

  async start(): Promise<void> {
    this.#port = await listen(this.#front, this.#options.host, this.#options.preferredPort);
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#front.close(() => resolve()));
    for (const server of [this.#plain, this.#secure]) {
      server?.close();
      server?.closeIdleConnections();
    }
    const timer = setTimeout(() => {
      for (const socket of this.#sockets) socket.destroy();
    }, graceMs);
    await closed;
    clearTimeout(timer);
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    const silent = setTimeout(() => socket.destroy(), silenceMs);
    socket.once('close', () => clearTimeout(silent));
    socket.once('data', (bytes) => {
      clearTimeout(silent);
      socket.pause();
      socket.unshift(bytes);
      if (bytes[0] !== handshake) {
        this.#plain.emit('connection', socket);
        socket.resume();
      } else if (this.#secure === undefined) socket.destroy();
      // TLS takes what was read by itself, and would miss it if the socket flowed.
      else this.#secure.emit('connection', socket);
    });
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const startedAt = Date.now();
    const abort = new AbortController();
    response.once('close', () => abort.abort());
    response.on('error', () => undefined);
    request.on('error', () => undefined);
    const viewer: ViewerRequest = {
      method: request.method ?? 'GET',
      url: request.url ?? '/',
      httpVersion: request.httpVersion,
      headers: request.headers,
      body: request,
      address: request.socket.remoteAddress ?? '',
      signal: abort.signal,
    };
    const port = request.socket.remotePort ?? 0;
    const answer = await this.#options.answer(viewer);
    const firstByteAt = Date.now();
    const { sentBytes, headBytes } = await send(request, response, answer);
    this.#options.onExchanged({
      ...{ request: viewer, answer, sentBytes, headBytes, port, startedAt, firstByteAt, endedAt: Date.now() },
      receivedBytes: requestBytes(request),
    });
  }
}

/** Sends an answer. A body that fails midway cuts the connection, so that nobody takes the part for the whole. */
async function send(
  request: IncomingMessage,
  response: ServerResponse,
  { status, headers, body }: ViewerAnswer,
): Promise<{ sentBytes: number; headBytes: number }> {
  let sentBytes = 0;
  if (response.destroyed) {
    if (body instanceof Readable) body.destroy();
    return { sentBytes, headBytes: 0 };
  }
  response.statusCode = status;
  response.sendDate = false;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  const bodyless = request.method === 'HEAD' || status === 204 || status === 304;
  if (bodyless || Buffer.isBuffer(body)) {
    if (body instanceof Readable) body.destroy();
    sentBytes = bodyless || !Buffer.isBuffer(body) ? 0 : body.length;
    response.end(bodyless ? undefined : body);
  } else {
    body.on('data', (chunk: Buffer) => {
      sentBytes += chunk.length;
    });
    await pipeline(body, response).catch(() => response.destroy());
  }
  request.resume();
  const head = Object.entries(headers).reduce(
    (sum, [name, value]) => sum + name.length + String(value).length + 4,
    17,
  );
  return { sentBytes, headBytes: head };
}

function requestBytes(request: IncomingMessage): number {
  const line = `${request.method} ${request.url} HTTP/${request.httpVersion}\r\n`.length;
  const head = request.rawHeaders.reduce((sum, text) => sum + text.length + 2, line + 2);
  return head + Number(request.headers['content-length'] ?? 0);
}
