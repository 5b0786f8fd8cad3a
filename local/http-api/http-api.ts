import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { RotatingFile } from '../lambda/rotating-file.ts';
import { listen } from '../listen.ts';
import type { Service } from '../service.ts';
import { accessLogLine } from './access-log.ts';
import type { HttpApiDefinition } from './definition.ts';
import type { AccessLogContext } from './exchange.ts';
import { Gateway } from './gateway.ts';
import type { InvokeIntegration } from './integration.ts';
import { refuseBytes, send } from './outgoing.ts';
import { gatewayError } from './response.ts';

export interface HttpApiOptions {
  region: string;
  accountId: string;
  invoke: InvokeIntegration;
  /** Taken when it is free; else, and by default, any free port. */
  preferredPort?: number;
  /** Default `127.0.0.1`. */
  host?: string;
  /** File for access logs; bounded. */
  accessLogFile?: string;
  /** Called once per request, after its response has been sent. */
  onRequest?: (context: AccessLogContext) => void;
  /** Longest time for a request's headers, in ms. Default 10 000. */
  headersTimeoutMs?: number;
  /** Longest time for a whole request, in ms. Default 60 000. */
  requestTimeoutMs?: number;
  /** How long `stop` lets running requests end, in ms. Default 2000. */
  stopGraceMs?: number;
}

/** Bytes of headers that are read at all; API Gateway's own limit is below that. */
const maxHeaderSize = 64 * 1024;

/** API Gateway's HTTP API on a loopback port: one API, one stage. */
export class HttpApi implements Service {
  readonly name = 'http-api';
  readonly #options: HttpApiOptions;
  readonly #log: RotatingFile | undefined;
  readonly #listeners = new Set<(line: string) => void>();
  #gateway: Gateway | undefined;
  #server: Server | undefined;
  #port = 0;

  constructor(options: HttpApiOptions) {
    this.#options = options;
    this.#log = options.accessLogFile === undefined ? undefined : new RotatingFile(options.accessLogFile);
  }

  /** For example `http://127.0.0.1:3000`. Throws before {@link start}. */
  get url(): string {
    if (this.#server === undefined) throw new Error('The HTTP API has not been started.');
    return `http://${this.#domainName}`;
  }

  /**
   * Defines the API, or changes it: requests from now on see the new definition.
   *
   * @throws for a route key that API Gateway would not take, and for a second API.
   */
  ensureApi(definition: HttpApiDefinition): void {
    const other = this.#gateway?.definition.apiId;
    if (other !== undefined && other !== definition.apiId) {
      throw new Error(`This port serves the API ${other}; ${definition.apiId} needs one of its own.`);
    }
    this.#gateway = new Gateway(definition, {
      region: this.#options.region,
      accountId: this.#options.accountId,
      invoke: this.#options.invoke,
      address: () => ({ domainName: this.#domainName, port: this.#port }),
    });
  }

  /** Calls the listener with every line of the access log. Returns how to stop that. */
  onAccessLog(listener: (line: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async start(): Promise<void> {
    const { headersTimeoutMs = 10_000, requestTimeoutMs = 60_000, preferredPort = 0 } = this.#options;
    const server = createServer(
      {
        maxHeaderSize,
        headersTimeout: Math.min(headersTimeoutMs, requestTimeoutMs),
        requestTimeout: requestTimeoutMs,
        connectionsCheckingInterval: Math.max(50, Math.min(1000, headersTimeoutMs / 4)),
        keepAliveTimeout: 60_000,
      },
      (request, response) => void this.#handle(request, response, false),
    );
    server.on('checkContinue', (request, response) => void this.#handle(request, response, true));
    server.on('clientError', (error: NodeJS.ErrnoException, socket) => refuseBytes(socket, error.code));
    // Longer than any integration; a client that does not read its response is let go.
    server.setTimeout(90_000);
    this.#port = await listen(server, this.#options.host ?? '127.0.0.1', preferredPort);
    this.#server = server;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeIdleConnections();
    const timer = setTimeout(() => server.closeAllConnections(), this.#options.stopGraceMs ?? 2000);
    await closed;
    clearTimeout(timer);
    this.#log?.close();
  }

  /** @param waits whether the client sends its body only when it is asked to. */
  async #handle(request: IncomingMessage, response: ServerResponse, waits: boolean): Promise<void> {
    response.on('error', () => undefined);
    const gateway = this.#gateway;
    if (gateway === undefined) return send(request, response, gatewayError(404, 'Not Found'), !waits);
    let bodyComes = !waits;
    const askForBody = (): void => {
      if (!bodyComes) response.writeContinue();
      bodyComes = true;
    };
    try {
      const handled = await gateway.handle(request, askForBody);
      if (this.#server === undefined) response.setHeader('connection', 'close');
      send(request, response, handled.response, bodyComes);
      this.#record(gateway.definition, handled.context);
    } catch {
      // The client went away in the middle of its request.
      request.socket.destroy();
    }
  }

  #record({ accessLog }: HttpApiDefinition, context: AccessLogContext): void {
    this.#options.onRequest?.(context);
    if (accessLog === undefined) return;
    const line = accessLogLine(accessLog.format, context);
    this.#log?.append(`${line}\n`);
    for (const listener of this.#listeners) listener(line);
  }

  get #domainName(): string {
    return `${this.#options.host ?? '127.0.0.1'}:${this.#port}`;
  }
}
