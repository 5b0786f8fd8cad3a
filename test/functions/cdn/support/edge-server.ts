import { once } from 'node:events';
import { createServer } from 'node:http';
import type { ProviderKind } from '../../../../functions/cdn/providers/provider.ts';

/** A caching edge that says what it does as a provider's does. */
export interface EdgeServer {
  readonly url: string;
  /** What was asked for, with the encodings that were accepted. */
  readonly asked: string[];
  /** What it has; by path and encoding, since when. */
  readonly cached: Map<string, number>;
  /** What is answered to the next requests for a path, instead of its content. */
  readonly trouble: Map<string, { status: number; headers?: Record<string, string> }[]>;
  /** The most requests that were under way at the same time. */
  mostAtOnce(): number;
  forget(): void;
  stop(): Promise<void>;
}

export interface EdgeOptions {
  /** In whose words; default CloudFront's. */
  readonly kind?: ProviderKind;
  readonly now?: () => number;
  readonly location?: string;
  /** Whether it keeps what it is asked for; by default everything but what is below `/private/`. */
  readonly keeps?: (path: string) => boolean;
  readonly delayMs?: number;
}

/** What each says of its cache, and of the location. */
const words: Record<ProviderKind, (hit: boolean, location: string) => Record<string, string>> = {
  cloudfront: (hit, location) => ({
    'x-cache': `${hit ? 'Hit' : 'Miss'} from cloudfront`,
    'x-amz-cf-pop': location,
  }),
  cloudflare: (hit, location) => ({ 'cf-cache-status': hit ? 'HIT' : 'MISS', 'cf-ray': `8c1a-${location}` }),
  fastly: (hit, location) => ({ 'x-cache': hit ? 'HIT' : 'MISS', 'x-served-by': `cache-ham-${location}` }),
};

export async function startEdge({
  kind = 'cloudfront',
  now = Date.now,
  location = 'FRA50-C1',
  keeps = (path) => !path.startsWith('/private/'),
  delayMs = 0,
}: EdgeOptions = {}): Promise<EdgeServer> {
  const asked: string[] = [];
  const cached = new Map<string, number>();
  const trouble: EdgeServer['trouble'] = new Map();
  let atOnce = 0;
  let most = 0;
  const server = createServer(async (request, response) => {
    most = Math.max(most, ++atOnce);
    response.on('close', () => atOnce--);
    const path = request.url ?? '';
    const encoding = String(request.headers['accept-encoding'] ?? '');
    asked.push(encoding === '' ? path : `${path} ${encoding}`);
    if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
    const met = trouble.get(path)?.shift();
    if (met !== undefined) {
      response.writeHead(met.status, met.headers).end();
      return;
    }
    if (path.startsWith('/redirect')) {
      response.writeHead(302, { location: 'http://169.254.169.254/latest/meta-data' }).end();
      return;
    }
    const key = `${path} ${encoding}`;
    const since = cached.get(key);
    if (since === undefined && keeps(path)) cached.set(key, now());
    response.writeHead(200, {
      ...words[kind](since !== undefined, location),
      ...(since !== undefined && { age: String(Math.floor((now() - since) / 1000)) }),
    });
    response.end(`content of ${path}`);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The edge does not listen');
  return {
    url: `http://127.0.0.1:${address.port}`,
    ...{ asked, cached, trouble },
    mostAtOnce: () => most,
    forget: () => cached.clear(),
    stop: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
