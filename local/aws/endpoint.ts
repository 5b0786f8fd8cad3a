import { createServer, type Server } from 'node:http';
import type { Authorizer } from '../iam/authorizer.ts';
import { listen } from '../listen.ts';
import type { Service } from '../service.ts';
import type { AwsApi } from './api.ts';
import type { CredentialStore } from './credentials.ts';
import { Dispatcher } from './dispatcher.ts';
import { Faults, faultsApi } from './faults.ts';
import type { Principal } from './operation.ts';

export interface AwsEndpointOptions {
  credentials: CredentialStore;
  authorizer: Authorizer;
  /** Taken when it is free; else, and by default, any free port. */
  port?: number;
  /** Default `127.0.0.1`. */
  host?: string;
  /** Default `us-east-1`; requests signed for another region are refused, unless the service answers for it. */
  region?: string;
  /** Default `000000000000`. */
  accountId?: string;
  /** Takes a line for each failure of the runtime itself; default `console.error`. */
  log?: (line: string) => void;
}

/**
 * The emulated AWS: one HTTP port for all services. Requests go to the service they are signed for,
 * so that SDKs and the AWS CLI work with `AWS_ENDPOINT_URL`.
 */
export class AwsEndpoint implements Service {
  readonly name = 'aws';
  /** Faults that tests inject; also at `/_mainstay/faults`. */
  readonly faults = new Faults();
  readonly #options: AwsEndpointOptions;
  readonly #dispatcher: Dispatcher;
  #server: Server | undefined;
  #url: string | undefined;

  constructor(options: AwsEndpointOptions) {
    this.#options = options;
    this.#dispatcher = new Dispatcher({
      credentials: options.credentials,
      authorizer: options.authorizer,
      faults: this.faults,
      region: options.region ?? 'us-east-1',
      accountId: options.accountId ?? '000000000000',
      log: options.log ?? ((line) => console.error(line)),
    });
    this.register(faultsApi(this.faults));
  }

  /** For example `http://127.0.0.1:4566`. Throws before {@link start}. */
  get url(): string {
    if (this.#url === undefined) throw new Error('The AWS endpoint has not been started');
    return this.#url;
  }

  /** Adds a service. Throws when its signing name and protocol are taken. */
  register(api: AwsApi): void {
    this.#dispatcher.register(api);
  }

  /**
   * Calls an operation in-process with the same authorization, faults and errors as over HTTP. The
   * result is what the operation returned: bytes and times are not written as text.
   */
  async call(
    principal: Principal,
    signingName: string,
    operation: string,
    input: Record<string, unknown>,
  ): Promise<unknown> {
    return this.#dispatcher.call(principal, signingName, operation, input);
  }

  async start(): Promise<void> {
    const server = createServer((request, response) => void this.#dispatcher.handle(request, response));
    server.on('checkContinue', (request, response) => void this.#dispatcher.handle(request, response, true));
    // Uploads and function calls take as long as they take.
    server.requestTimeout = 0;
    // Longer than SDKs keep a connection idle, so that none is closed under a request.
    server.keepAliveTimeout = 75_000;
    const host = this.#options.host ?? '127.0.0.1';
    const port = await listen(server, host, this.#options.port ?? 0);
    this.#url = `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
    this.#server = server;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    this.#server = undefined;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
  }
}
