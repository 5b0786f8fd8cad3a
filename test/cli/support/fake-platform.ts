import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

export interface Answer {
  status?: number;
  body: unknown;
}

export interface Call {
  route: string;
  query: string;
  body: unknown;
}

/** An HTTP server that answers as it is told; what was asked can be read afterwards. */
export class FakePlatform {
  static readonly key = 'msk_test_key';
  readonly calls: Call[] = [];
  readonly #answers = new Map<string, Answer[]>();
  readonly #server: Server;

  private constructor() {
    this.#server = createServer(async (request, response) => {
      const { status = 200, body } = await this.#answer(request);
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
  }

  static async start(): Promise<FakePlatform> {
    const platform = new FakePlatform();
    platform.#server.listen(0, '127.0.0.1');
    await once(platform.#server, 'listening');
    return platform;
  }

  get url(): string {
    const address: AddressInfo | string | null = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('It does not listen.');
    return `http://127.0.0.1:${address.port}`;
  }

  /** Answers a route, for example `GET /api/ready`, one after the other; the last answer stays. */
  on(route: string, ...answers: Answer[]): this {
    this.#answers.set(route, answers);
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #answer(request: IncomingMessage): Promise<Answer> {
    const { pathname, search } = new URL(request.url ?? '/', 'http://fake');
    const route = `${request.method} ${pathname}`;
    const body = request.headers['content-type'] === undefined ? undefined : await json(request);
    this.calls.push({ route, query: search, body });
    if (request.headers.authorization !== `Bearer ${FakePlatform.key}`) {
      return {
        status: 401,
        body: { type: '/docs#problem-unauthorized', title: 'Unauthorized', status: 401 },
      };
    }
    const answers = this.#answers.get(`${route}${search}`) ?? this.#answers.get(route) ?? [];
    const [answer] = answers.length > 1 ? answers.splice(0, 1) : answers;
    return (
      answer ?? { status: 404, body: { type: '/docs#problem-not-found', title: 'Not found', status: 404 } }
    );
  }
}
