import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod';
import { StateFile } from '../aws/state-file.ts';
import { listen } from '../listen.ts';
import type { Service } from '../service.ts';

const storedSchema = z.object({
  physicalResourceId: z.string(),
  serviceToken: z.string(),
  properties: z.record(z.string(), z.unknown()),
  data: z.record(z.string(), z.unknown()),
});
type Stored = z.output<typeof storedSchema>;
const stateSchema = z.object({ resources: z.record(z.string(), storedSchema) });

const responseSchema = z.looseObject({
  Status: z.enum(['SUCCESS', 'FAILED']),
  Reason: z.string().optional(),
  PhysicalResourceId: z.string().optional(),
  Data: z.record(z.string(), z.unknown()).optional(),
  RequestId: z.string(),
});
type Response = z.output<typeof responseSchema>;

export interface CustomResourcesOptions {
  /** Where answers of earlier runs are kept. */
  file: string;
  /** Invokes a function asynchronously, as CloudFormation does. */
  invoke(functionArn: string, event: unknown): Promise<void>;
}

export interface CustomResourceRequest {
  stackId: string;
  logicalId: string;
  type: string;
  properties: Record<string, unknown>;
}

/** The most a function may answer, in bytes; CloudFormation takes 4 KB. */
const longestAnswer = 4096;

/**
 * Runs custom resources as CloudFormation does: Create once, Update when the properties have
 * changed since, Delete when the resource is no longer in a template. The function answers by PUT
 * to a URL made for that request.
 */
export class CustomResources implements Service {
  readonly name = 'custom resources';
  readonly #options: CustomResourcesOptions;
  readonly #state: StateFile<z.output<typeof stateSchema>>;
  readonly #waiting = new Map<string, PromiseWithResolvers<Response>>();
  readonly #seen = new Set<string>();
  #server: Server | undefined;
  #port = 0;

  constructor(options: CustomResourcesOptions) {
    this.#options = options;
    this.#state = new StateFile(options.file, stateSchema, { resources: {} });
  }

  async start(): Promise<void> {
    const server = createServer((request, response) => {
      const waiting = this.#waiting.get(request.url ?? '');
      const chunks: Buffer[] = [];
      let size = 0;
      request.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size <= longestAnswer) chunks.push(chunk);
      });
      request.on('end', () => {
        const parsed = size <= longestAnswer ? parseResponse(Buffer.concat(chunks).toString()) : undefined;
        const taken = request.method === 'PUT' && waiting !== undefined && parsed !== undefined;
        response.writeHead(taken ? 200 : 403).end();
        if (taken) waiting.resolve(parsed);
      });
    });
    this.#server = server;
    this.#port = await listen(server, '127.0.0.1', 0);
  }

  async stop(): Promise<void> {
    this.#server?.closeAllConnections();
    this.#server?.close();
    this.#server = undefined;
    for (const waiting of this.#waiting.values()) waiting.reject(new Error('the local runtime stops'));
  }

  /** Creates or updates a resource, and waits for the function's answer. */
  async ensure(
    request: CustomResourceRequest,
  ): Promise<{ physicalResourceId: string; data: Record<string, unknown> }> {
    const key = `${request.stackId}/${request.logicalId}`;
    this.#seen.add(key);
    const stored = this.#state.state.resources[key];
    if (stored !== undefined && isDeepStrictEqual(stored.properties, request.properties)) return stored;

    const response = await this.#ask(
      request,
      stored === undefined
        ? { RequestType: 'Create' }
        : {
            RequestType: 'Update',
            PhysicalResourceId: stored.physicalResourceId,
            OldResourceProperties: stringified(stored.properties),
          },
    );
    const resource: Stored = {
      physicalResourceId: response.PhysicalResourceId ?? stored?.physicalResourceId ?? request.logicalId,
      serviceToken: String(request.properties.ServiceToken),
      properties: request.properties,
      data: response.Data ?? {},
    };
    this.#state.state.resources[key] = resource;
    await this.#state.save();
    return resource;
  }

  /** Deletes the resources of earlier runs that no template has asked for in this one. */
  async removeOthers(): Promise<void> {
    for (const [key, stored] of Object.entries(this.#state.state.resources)) {
      if (this.#seen.has(key)) continue;
      const at = key.lastIndexOf('/');
      const request = {
        stackId: key.slice(0, at),
        logicalId: key.slice(at + 1),
        type: 'AWS::CloudFormation::CustomResource',
        properties: stored.properties,
      };
      await this.#ask(request, { RequestType: 'Delete', PhysicalResourceId: stored.physicalResourceId });
      delete this.#state.state.resources[key];
      await this.#state.save();
    }
  }

  async #ask(request: CustomResourceRequest, event: Record<string, unknown>): Promise<Response> {
    if (this.#server === undefined) throw new Error('The custom resources have not been started.');
    const requestId = randomUUID();
    const path = `/${requestId}`;
    const seconds = Number(request.properties.ServiceTimeout ?? 3600);
    const answer = Promise.withResolvers<Response>();
    const timer = setTimeout(
      () => answer.reject(new Error(`it did not answer within ${seconds} s`)),
      seconds * 1000,
    );
    this.#waiting.set(path, answer);
    try {
      await this.#options.invoke(String(request.properties.ServiceToken), {
        ...event,
        RequestId: requestId,
        ResponseURL: `http://127.0.0.1:${this.#port}${path}`,
        StackId: request.stackId,
        LogicalResourceId: request.logicalId,
        ResourceType: request.type,
        ServiceToken: request.properties.ServiceToken,
        ResourceProperties: stringified(request.properties),
      });
      const response = await answer.promise;
      if (response.Status === 'FAILED') throw new Error(response.Reason ?? 'it failed without a reason');
      return response;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(path);
    }
  }
}

function parseResponse(text: string): Response | undefined {
  try {
    return responseSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** CloudFormation hands over numbers and booleans as text. */
function stringified(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(stringified);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, stringified(item)]));
  }
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : value;
}
