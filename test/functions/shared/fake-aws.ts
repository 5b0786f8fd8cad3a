import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';

/** A call as it arrives. */
export interface AwsCall {
  /** `Operation` of the JSON protocols, `METHOD /path` of the REST protocols. */
  readonly operation: string;
  readonly input: Record<string, unknown>;
}

export interface AwsReply {
  status?: number;
  /** Sent as JSON. */
  body?: unknown;
  headers?: Record<string, string>;
  /** Never answers. */
  silent?: boolean;
}

/** Answers the SDK's calls by what a test says, and remembers them. */
export interface FakeAws {
  readonly calls: AwsCall[];
  /** Settings for a client of the SDK. */
  readonly settings: {
    endpoint: string;
    region: string;
    credentials: { accessKeyId: string; secretAccessKey: string };
    maxAttempts: number;
  };
  stop(): Promise<void>;
}

/** Starts it; `reply` decides over each call. An error's body names its type in `__type`. */
export async function startFakeAws(reply: (call: AwsCall) => AwsReply): Promise<FakeAws> {
  const calls: AwsCall[] = [];
  const server = createServer(async (request, response) => {
    const call = { operation: operationOf(request), input: await inputOf(request) };
    calls.push(call);
    const { status = 200, body = {}, headers = {}, silent = false } = reply(call);
    if (silent) return;
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1', ...headers });
    response.end(request.method === 'HEAD' ? undefined : JSON.stringify(body));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The fake does not listen');
  return {
    calls,
    settings: {
      endpoint: `http://127.0.0.1:${address.port}`,
      region: 'us-east-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      maxAttempts: 1,
    },
    stop: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

function operationOf(request: IncomingMessage): string {
  const target = request.headers['x-amz-target'];
  if (typeof target === 'string') return target.split('.').at(-1) ?? '';
  return `${request.method} ${new URL(request.url ?? '', 'http://host').pathname}`;
}

async function inputOf(request: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  return text.startsWith('{') ? JSON.parse(text) : {};
}
