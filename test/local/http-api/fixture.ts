import { once } from 'node:events';
import { connect } from 'node:net';
import { jest } from '@jest/globals';
import * as z from 'zod';
import type { HttpApiDefinition } from '../../../local/http-api/definition.ts';
import { HttpApi, type HttpApiOptions } from '../../../local/http-api/http-api.ts';
import type { InvokeIntegration } from '../../../local/http-api/integration.ts';

// The machine may be busy with other tests.
jest.setTimeout(30_000);

export const region = 'us-east-1';
export const accountId = '000000000000';
export const functionArn = 'arn:aws:lambda:us-east-1:000000000000:function:f';

type Call = { functionArn: string; event: Record<string, unknown>; sourceArn: string; traceHeader: string };

/** An API whose integration is a plain function, with what it was called with. */
export class HttpApiFixture {
  readonly calls: Call[] = [];
  readonly api: HttpApi;
  /** What the integration does; by default it returns an empty object. */
  respond: () => ReturnType<InvokeIntegration> = async () => ({ payload: '{}' });

  constructor(options: Partial<HttpApiOptions> = {}) {
    this.api = new HttpApi({
      region,
      accountId,
      invoke: async (arn, payload, call) => {
        const event = z.record(z.string(), z.unknown()).parse(JSON.parse(payload));
        this.calls.push({ functionArn: arn, event, ...call });
        return this.respond();
      },
      ...options,
    });
  }

  async start(definition: Partial<HttpApiDefinition> = {}): Promise<void> {
    this.define(definition);
    await this.api.start();
  }

  define(definition: Partial<HttpApiDefinition> = {}): void {
    const routes = [{ routeKey: '$default', functionArn }];
    this.api.ensureApi({ apiId: 'abc123', routes, ...definition });
  }

  /** The function returns this from now on. */
  returns(result: unknown): void {
    this.respond = async () => ({ payload: JSON.stringify(result), requestId: 'request-1' });
  }

  /** The event of the last call. */
  get event(): Record<string, unknown> {
    return this.calls.at(-1)?.event ?? {};
  }

  /** Sends bytes as they are and gives what comes back until the connection ends. */
  async raw(text: string): Promise<string> {
    const { hostname, port } = new URL(this.api.url);
    const socket = connect(Number(port), hostname);
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1');
    });
    socket.on('error', () => undefined);
    socket.write(text, 'latin1');
    await once(socket, 'close');
    return answer;
  }
}
