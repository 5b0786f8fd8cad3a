import { setTimeout as sleep } from 'node:timers/promises';
import type * as z from 'zod';
import { ApiError, UnknownAnswerError, UnreachableError } from './api-errors.ts';

export interface ApiClientOptions {
  /** For example `http://127.0.0.1:4580`. */
  baseUrl: string;
  apiKey: string;
  /** Longest wait for one answer; default 35 000 ms, a little more than API Gateway's own. */
  timeoutMs?: number;
  /** Ends whatever is under way. */
  signal?: AbortSignal | undefined;
}

export interface FollowOptions {
  /** Time between the first two readings, default 400 ms; it grows to five times as much. */
  intervalMs?: number;
  /** How long the platform may fail to answer before it is given up, default 60 000 ms. */
  patienceMs?: number;
}

/** Calls Mainstay's API and parses what it answers by the schemas of the contracts. */
export class ApiClient {
  readonly #baseUrl: string;
  readonly #apiKey: string;
  readonly #timeoutMs: number;
  readonly #signal: AbortSignal | undefined;

  constructor({ baseUrl, apiKey, timeoutMs = 35_000, signal }: ApiClientOptions) {
    this.#baseUrl = baseUrl.replace(/\/+$/, '');
    this.#apiKey = apiKey;
    this.#timeoutMs = timeoutMs;
    this.#signal = signal;
  }

  /**
   * Makes one call.
   *
   * @throws ApiError when the answer is not a success, UnreachableError when there is none, UnknownAnswerError
   * when it does not fit the schema.
   */
  async call<T extends z.ZodType>(
    method: string,
    path: string,
    schema: T,
    body?: unknown,
  ): Promise<z.output<T>> {
    const { ok, status, text } = await this.#fetch(method, path, body);
    const answer: unknown = text === '' ? null : parseJson(text);
    if (!ok) throw new ApiError(method, path, status, answer);
    const parsed = schema.safeParse(answer);
    if (!parsed.success) throw new UnknownAnswerError(method, path, parsed.error);
    return parsed.data;
  }

  /**
   * Reads a resource again and again until it has ended, and shows each state of it. The work goes on
   * whoever looks: a platform that does not answer for a while is asked again.
   */
  async follow<T extends z.ZodType<{ state: string }>>(
    path: string,
    schema: T,
    show: (state: z.output<T>) => void,
    { intervalMs = 400, patienceMs = 60_000 }: FollowOptions = {},
  ): Promise<z.output<T>> {
    let answeredAt = performance.now();
    for (let interval = intervalMs; ; interval = Math.min(intervalMs * 5, interval * 1.1)) {
      try {
        const resource = await this.call('GET', path, schema);
        answeredAt = performance.now();
        show(resource);
        if (resource.state !== 'queued' && resource.state !== 'running') return resource;
      } catch (error) {
        const transient = error instanceof UnreachableError || (error instanceof ApiError && error.transient);
        if (!transient || performance.now() - answeredAt > patienceMs) throw error;
      }
      await sleep(interval, undefined, this.#signal === undefined ? {} : { signal: this.#signal });
    }
  }

  async #fetch(method: string, path: string, body: unknown) {
    const timeout = AbortSignal.timeout(this.#timeoutMs);
    try {
      const response = await fetch(`${this.#baseUrl}${path}`, {
        method,
        // The API redirects nobody, and the key goes nowhere else.
        redirect: 'manual',
        signal: this.#signal === undefined ? timeout : AbortSignal.any([timeout, this.#signal]),
        headers: {
          authorization: `Bearer ${this.#apiKey}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return { ok: response.ok, status: response.status, text: await response.text() };
    } catch (error) {
      this.#signal?.throwIfAborted();
      throw new UnreachableError(this.#baseUrl, error);
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
