import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { XMLParser } from 'fast-xml-parser';

/** What a test makes the next requests meet, instead of an answer. */
export type Trouble = 'throttled' | 'down' | 'refused' | 'cut' | 'nonsense';

/** A server that answers as a provider's documentation says it does. */
export interface ProviderServer {
  readonly url: string;
  /** What has been purged, each as the provider was told it. */
  readonly purged: string[];
  readonly requests: string[];
  /** Meets the next requests; each takes one. */
  readonly trouble: Trouble[];
  /** Of CloudFront: lets what is in progress reach every edge. */
  complete(): void;
  stop(): Promise<void>;
}

interface Call {
  readonly method: string;
  readonly path: string;
  readonly body: string;
  readonly headers: IncomingMessage['headers'];
}
interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers?: Record<string, string>;
}

async function serve(
  answer: (call: Call, purged: string[]) => Answer,
  troubled: (trouble: Trouble, call: Call) => Answer,
  complete: () => void = () => {},
): Promise<ProviderServer> {
  const purged: string[] = [];
  const requests: string[] = [];
  const trouble: Trouble[] = [];
  const server: Server = createServer(async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const call = {
      method: request.method ?? '',
      path: request.url ?? '',
      body: Buffer.concat(chunks).toString('utf8'),
      headers: request.headers,
    };
    requests.push(`${call.method} ${call.path}`);
    const met = trouble.shift();
    if (met === 'cut') {
      request.socket.destroy();
      return;
    }
    const { status, body, headers } = met === undefined ? answer(call, purged) : troubled(met, call);
    response.writeHead(status, headers);
    response.end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('It does not listen');
  return {
    url: `http://127.0.0.1:${address.port}`,
    ...{ purged, requests, trouble, complete },
    stop: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

const xml = (body: string): string => `<?xml version="1.0"?>${body}`;
const namespace = 'xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/"';
const parser = new XMLParser({ isArray: (name) => name === 'Path' });

/** CloudFront's REST API: invalidations by their caller reference, in progress until `complete`. */
export function startCloudFront(): Promise<ProviderServer> {
  const made = new Map<string, { id: string; items: string; completed: boolean }>();
  const invalidation = ({ id, completed }: { id: string; completed: boolean }): string =>
    xml(
      `<Invalidation ${namespace}><Id>${id}</Id><Status>${completed ? 'Completed' : 'InProgress'}</Status>` +
        '<CreateTime>2026-11-22T00:00:00Z</CreateTime></Invalidation>',
    );
  const failure = (status: number, code: string): Answer => ({
    status,
    body: xml(
      `<ErrorResponse ${namespace}><Error><Type>${status < 500 ? 'Sender' : 'Receiver'}</Type>` +
        `<Code>${code}</Code><Message>It says ${code}.</Message></Error><RequestId>r</RequestId></ErrorResponse>`,
    ),
  });
  const tenant = xml(
    `<DistributionTenant ${namespace}><Id>dt_shop</Id><DistributionId>E1</DistributionId><Name>acme</Name>` +
      '<Domains><member><Domain>shop.example.com</Domain><Status>active</Status></member></Domains></DistributionTenant>',
  );
  return serve(
    ({ method, path, body }, purged) => {
      if (method === 'POST' && path.endsWith('/invalidation')) {
        const batch = parser.parse(body).InvalidationBatch;
        const items = JSON.stringify(batch.Paths.Items.Path);
        const known = made.get(batch.CallerReference);
        if (known !== undefined && known.items !== items) return failure(400, 'InvalidArgument');
        if (known === undefined) purged.push(...batch.Paths.Items.Path);
        const one = known ?? { id: `I${made.size + 1}`, items, completed: false };
        made.set(batch.CallerReference, one);
        return { status: 201, body: invalidation(one) };
      }
      const one = [...made.values()].find(({ id }) => path.endsWith(`/invalidation/${id}`));
      if (one !== undefined) return { status: 200, body: invalidation(one) };
      if (path.includes('/distribution-tenant')) {
        return /shop\.example\.com|acme/.test(path)
          ? { status: 200, body: tenant }
          : failure(404, 'EntityNotFound');
      }
      if (path.includes('/invalidation')) {
        const open = [...made.values()].filter(({ completed }) => !completed);
        const items = open
          .map(
            ({ id }) =>
              `<InvalidationSummary><Id>${id}</Id><Status>InProgress</Status></InvalidationSummary>`,
          )
          .join('');
        return {
          status: 200,
          body: xml(`<InvalidationList ${namespace}><Items>${items}</Items></InvalidationList>`),
        };
      }
      return {
        status: 200,
        body: xml(
          `<Distribution ${namespace}><Id>E1</Id><Status>Deployed</Status>` +
            '<DistributionConfig><Enabled>true</Enabled></DistributionConfig></Distribution>',
        ),
      };
    },
    (trouble) => {
      if (trouble === 'throttled') return failure(400, 'TooManyInvalidationsInProgress');
      if (trouble === 'refused') return failure(403, 'AccessDenied');
      return trouble === 'nonsense'
        ? { status: 200, body: xml('<Other/>') }
        : failure(503, 'ServiceUnavailable');
    },
    () => {
      for (const [reference, one] of made) made.set(reference, { ...one, completed: true });
    },
  );
}

/** Cloudflare's API v4: one envelope for everything. */
export function startCloudflare(): Promise<ProviderServer> {
  const envelope = (result: unknown) => JSON.stringify({ success: true, errors: [], messages: [], result });
  const failure = (status: number, code: number, message: string, headers = {}): Answer => ({
    status,
    headers,
    body: JSON.stringify({ success: false, errors: [{ code, message }], messages: [], result: null }),
  });
  return serve(
    ({ path, body, headers }, purged) => {
      if (headers.authorization !== 'Bearer the-token') return failure(400, 6003, 'Invalid request headers');
      if (!path.endsWith('/purge_cache')) {
        return { status: 200, body: envelope({ id: 'zone', status: 'active', paused: false }) };
      }
      const asked: Record<string, unknown> = JSON.parse(body);
      const kinds = Object.entries(asked);
      const [[kind = '', value] = []] = kinds;
      const several = Array.isArray(value) ? value : [];
      if (kinds.length !== 1 || several.length > 100) return failure(400, 1134, 'Unable to purge');
      purged.push(...(value === true ? [kind] : several.map((each) => `${kind} ${each}`)));
      return { status: 200, body: envelope({ id: '9a7806061c88ada191ed06f989cc3dac' }) };
    },
    (trouble, { headers }) => {
      if (trouble === 'throttled') {
        return failure(429, 971, 'Please wait and consider throttling', { 'retry-after': '7' });
      }
      if (trouble === 'refused') return failure(403, 10_000, `Authentication error ${headers.authorization}`);
      return trouble === 'nonsense'
        ? { status: 200, body: '<html>maintenance</html>' }
        : failure(503, 10_013, 'Internal');
    },
  );
}

/** Fastly's API: URLs one by one, keys together. */
export function startFastly(): Promise<ProviderServer> {
  const ok = JSON.stringify({ status: 'ok', id: '108-1391560174-974124' });
  return serve(
    ({ method, path, body, headers }, purged) => {
      if (headers['fastly-key'] !== 'the-token')
        return { status: 401, body: '{"msg":"Provided credentials are missing or invalid"}' };
      const soft = headers['fastly-soft-purge'] === '1' ? 'soft ' : '';
      if (method === 'POST' && path.startsWith('/purge/')) {
        purged.push(`${soft}url ${path.slice('/purge/'.length)}`);
        return { status: 200, body: ok };
      }
      if (method === 'POST' && path.endsWith('/purge_all')) {
        purged.push('everything');
        return { status: 200, body: '{"status":"ok"}' };
      }
      if (method === 'POST' && path.endsWith('/purge')) {
        const { surrogate_keys: keys }: { surrogate_keys: string[] } = JSON.parse(body);
        purged.push(...keys.map((key) => `${soft}key ${key}`));
        return {
          status: 200,
          body: JSON.stringify(Object.fromEntries(keys.map((key) => [key, `id-${key}`]))),
        };
      }
      return {
        status: 200,
        body: JSON.stringify({ id: 'service', versions: [{ number: 3, active: true }] }),
      };
    },
    (trouble, { headers }) => {
      if (trouble === 'throttled') {
        const reset = String(Math.ceil(Date.now() / 1000) + 9);
        return { status: 429, body: '{"msg":"too many"}', headers: { 'fastly-ratelimit-reset': reset } };
      }
      if (trouble === 'refused')
        return { status: 403, body: JSON.stringify({ msg: `no: ${headers['fastly-key']}` }) };
      return { status: trouble === 'nonsense' ? 200 : 502, body: 'Bad gateway' };
    },
  );
}
