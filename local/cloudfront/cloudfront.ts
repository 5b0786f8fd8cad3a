import type { RestApi } from '../aws/api.ts';
import type { Service } from '../service.ts';
import { cloudFrontApi } from './api.ts';
import { DistributionBook } from './book.ts';
import { Edge } from './edge.ts';
import { EdgeCache } from './edge-cache.ts';
import { EdgeServer, type Exchanged } from './edge-server.ts';
import { Invalidations } from './invalidations.ts';
import { cloudFrontOperations } from './operations.ts';
import type { FetchOrigin } from './origin.ts';

export interface CloudFrontOptions {
  accountId: string;
  /** Sends requests to origins. */
  fetch: FetchOrigin;
  /** Taken when it is free; else, and by default, any free port. */
  preferredPort?: number;
  /** Certificate and key of the edge, read when it starts; without them it speaks no TLS. */
  tls?: () => { certificate: string; key: string };
  /** Called after each exchange with a viewer. */
  onExchanged?: (exchanged: Exchanged) => void;
  /** Bytes that the cache may hold; default 256 MiB. */
  cacheBytes?: number;
  /** How long an invalidation takes, in ms; default 1000. */
  invalidationMs?: number;
  /** The time in milliseconds since the epoch; default the system's. */
  now?: () => number;
}

const host = '127.0.0.1';

/** CloudFront on this machine: its distributions on one port, as one edge location, and the API that purges it. */
export class CloudFront implements Service {
  readonly name = 'cloudfront';
  readonly book = new DistributionBook();
  readonly api: RestApi;
  readonly #options: CloudFrontOptions;
  readonly #edge: Edge;
  readonly #invalidations: Invalidations;
  #server: EdgeServer | undefined;

  constructor(options: CloudFrontOptions) {
    this.#options = options;
    const { book } = this;
    const now = options.now ?? Date.now;
    const cache = new EdgeCache(options.cacheBytes ?? 256 * 1024 * 1024);
    this.#edge = new Edge({ book, cache, fetch: options.fetch, now });
    this.#invalidations = new Invalidations({ cache, now, durationMs: options.invalidationMs ?? 1000 });
    const domainName = () => this.domainName;
    this.api = cloudFrontApi(cloudFrontOperations({ book, invalidations: this.#invalidations, domainName }));
  }

  /** Host and port under which every distribution answers. Throws before {@link start}. */
  get domainName(): string {
    if (this.#server === undefined) throw new Error('The edge has not been started.');
    return `${host}:${this.#server.port}`;
  }

  /** ARN of a distribution or distribution tenant. */
  arnOf(kind: 'distribution' | 'distribution-tenant' | 'connection-group', id: string): string {
    return `arn:aws:cloudfront::${this.#options.accountId}:${kind}/${id}`;
  }

  async start(): Promise<void> {
    const tls = this.#options.tls?.();
    const server = new EdgeServer({
      host,
      preferredPort: this.#options.preferredPort ?? 0,
      ...(tls !== undefined && { tls }),
      answer: (request) => this.#edge.answer(request),
      onExchanged: (exchanged) => this.#options.onExchanged?.(exchanged),
    });
    await server.start();
    this.#server = server;
  }

  async stop(): Promise<void> {
    this.#invalidations.stop();
    await this.#server?.stop();
    this.#server = undefined;
  }
}
