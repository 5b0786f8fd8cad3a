import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';

const problemSchema = z.looseObject({
  title: z.string().optional(),
  detail: z.string().optional(),
  message: z.string().optional(),
  traceId: z.string().optional(),
});

/** An answer of the API that is not a success, with what it says about itself. */
export class ApiError extends Error {
  readonly status: number;
  readonly problem: unknown;

  constructor(method: string, path: string, status: number, problem: unknown) {
    const parsed = problemSchema.safeParse(problem);
    const { title, detail, message, traceId } = parsed.success ? parsed.data : {};
    const said = [title, detail ?? message].filter((part) => part !== undefined).join(': ');
    super(
      `${method} ${path} answered ${status}${said && `: ${said}`}${traceId ? ` (trace ${traceId})` : ''}`,
    );
    this.name = 'ApiError';
    this.status = status;
    this.problem = problem;
  }
}

export interface ApiClientOptions {
  /** For example `http://127.0.0.1:4580`. */
  baseUrl: string;
  apiKey: string;
  /** Longest wait for one answer; default 35 000 ms, a little more than API Gateway's own. */
  timeoutMs?: number;
}

/** Calls Mainstay's API and parses what it answers by the schemas of the contracts. */
export class ApiClient {
  readonly #options: Required<ApiClientOptions>;

  constructor(options: ApiClientOptions) {
    this.#options = { timeoutMs: 35_000, ...options };
  }

  /**
   * Makes one call.
   *
   * @throws ApiError when the answer is not a success; an error naming the base URL when there is none.
   */
  async call<T extends z.ZodType>(
    method: string,
    path: string,
    schema: T,
    body?: unknown,
  ): Promise<z.output<T>> {
    const response = await this.#fetch(method, path, body);
    const text = await response.text();
    const answer: unknown = text === '' ? null : parseJson(text);
    if (!response.ok) throw new ApiError(method, path, response.status, answer);
    return schema.parse(answer);
  }

  /**
   * Reads a resource again and again until it has ended, and shows each state of it.
   *
   * @param options `intervalMs`: time between two readings, default 400 ms; `signal` ends the wait.
   */
  async follow<T extends z.ZodType<{ state: string }>>(
    path: string,
    schema: T,
    show: (state: z.output<T>) => void,
    { intervalMs = 400, signal }: { intervalMs?: number; signal?: AbortSignal } = {},
  ): Promise<z.output<T>> {
    for (;;) {
      const resource = await this.call('GET', path, schema);
      show(resource);
      if (resource.state !== 'queued' && resource.state !== 'running') return resource;
      await sleep(intervalMs, undefined, signal === undefined ? {} : { signal });
    }
  }

  async #fetch(method: string, path: string, body: unknown): Promise<Response> {
    try {
      return await fetch(new URL(path, this.#options.baseUrl), {
        method,
        signal: AbortSignal.timeout(this.#options.timeoutMs),
        headers: {
          authorization: `Bearer ${this.#options.apiKey}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    } catch (error) {
      throw new Error(
        `${this.#options.baseUrl} does not answer. Is it running? \`npm start\` starts it here.`,
        {
          cause: error,
        },
      );
    }
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return { message: text.slice(0, 200) };
  }
}
