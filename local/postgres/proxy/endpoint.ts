import { createServer, type Server, type Socket } from 'node:net';
import { createSecureContext } from 'node:tls';
import type { ServerCertificate } from '../certificates.ts';
import type { Backend, TokenCheck } from './backend.ts';
import { functionBehind } from './peer.ts';
import { openSession } from './session.ts';
import { Traffic } from './traffic.ts';

/** How long a client may take to authenticate, in milliseconds. */
const authenticationMs = 60_000;

export interface EndpointOptions {
  /** Addresses to listen on, all with the same port. */
  host: string;
  port: number;
  certificate: ServerCertificate;
  resourceId: string;
  checkToken: TokenCheck;
  forceSsl(): boolean;
  /** The server behind the endpoint at this moment. @throws when there is none. */
  backend(): Backend | Promise<Backend>;
}

/** A host and port where clients find a server, as an Aurora endpoint is one. */
export class Endpoint {
  readonly host: string;
  readonly port: number;
  /** What happens on the way; for tests of faults. */
  readonly traffic = new Traffic();
  readonly #options: EndpointOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(options: EndpointOptions) {
    this.#options = options;
    this.host = options.host;
    this.port = options.port;
    const { certificate, key } = options.certificate;
    const secureContext = createSecureContext({ cert: certificate, key, minVersion: 'TLSv1.2' });
    this.#server = createServer({ noDelay: true, keepAlive: true }, (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
      // What matters of an error is that the connection is gone.
      socket.on('error', () => socket.destroy());
      void this.#serve(socket, {
        ...options,
        secureContext,
        forceSsl: options.forceSsl(),
        admit: (clientName) => this.traffic.admissionOf(clientName),
      });
    });
  }

  /** Starts to listen. @throws the system's error, for example with the code EADDRINUSE. */
  static async listen(options: EndpointOptions): Promise<Endpoint> {
    const endpoint = new Endpoint(options);
    await new Promise<void>((resolve, reject) => {
      endpoint.#server.once('error', reject);
      endpoint.#server.listen({ host: options.host, port: options.port }, resolve);
    });
    return endpoint;
  }

  get resourceId(): string {
    return this.#options.resourceId;
  }

  /** Stops to listen and ends every connection. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.traffic.destroy();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /** A function is known before it has said anything: of one that is cut off not even its handshake is answered. */
  async #admitsFunction({ remotePort = 0 }: Socket): Promise<boolean> {
    if (!this.traffic.distinguishes) return true;
    return this.traffic.admissionOf(await functionBehind(remotePort, this.port));
  }

  async #serve(socket: Socket, options: Parameters<typeof openSession>[1]): Promise<void> {
    if (this.traffic.condition.kind === 'reset') {
      socket.resetAndDestroy();
      return;
    }
    await this.traffic.admission();
    if (!(await this.#admitsFunction(socket))) {
      socket.resetAndDestroy();
      return;
    }
    const impatience = setTimeout(() => socket.destroy(), authenticationMs);
    try {
      const session = await openSession(socket, options);
      if (session !== undefined) {
        this.traffic.relay(session.client, session.server, session.clientName);
      }
    } catch {
      // No server, no client any more, or no client of PostgreSQL.
      socket.destroy();
    } finally {
      clearTimeout(impatience);
    }
  }
}
