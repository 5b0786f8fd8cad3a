import { setTimeout as delay } from 'node:timers/promises';
import type * as z from 'zod';
import type { CircuitBreaker } from '../../shared/circuit-breaker.ts';
import { redact } from '../../shared/redact.ts';
import { ProviderRefusedError, ProviderThrottledError, ProviderUnreachableError } from './errors.ts';

export interface HttpsApiOptions {
  /** The provider, as errors name it. */
  readonly name: string;
  readonly url: string;
  /** The header that carries the token, and its value; asked for each time, and kept nowhere. */
  readonly credential: () => Promise<readonly [name: string, value: string]>;
  readonly breaker: CircuitBreaker;
  readonly now: () => number;
  readonly sleep?: (ms: number) => Promise<unknown>;
}

export interface ApiRequest<S extends z.ZodType> {
  readonly method: 'GET' | 'POST';
  /** Behind the URL of the API, encoded. */
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** What a good answer looks like. */
  readonly schema: S;
}

const attempts = 3;
const firstWaitMs = 300;
const attemptMs = 10_000;
const maximumBytes = 1_048_576;
const defaultRetryMs = 30_000;
const longestRetryMs = 600_000;

/**
 * Calls of a provider's HTTPS API: one time limit for each attempt, three attempts where it does not answer, redirects refused (a token
 * is sent nowhere else), nothing of the token in errors.
 */
export class HttpsApi {
  readonly #options: HttpsApiOptions;

  constructor(options: HttpsApiOptions) {
    this.#options = options;
  }

  /** @throws ProviderUnreachableError, ProviderThrottledError, ProviderRefusedError, BreakerOpenError */
  async call<S extends z.ZodType>(request: ApiRequest<S>): Promise<z.output<S>> {
    const { breaker, sleep = delay } = this.#options;
    const credential = await this.#options.credential();
    for (let attempt = 1; ; attempt++) {
      try {
        return await breaker.run(
          () => this.#attempt(request, credential),
          (error) => error instanceof ProviderUnreachableError,
        );
      } catch (error) {
        if (!(error instanceof ProviderUnreachableError) || attempt === attempts) throw error;
        await sleep(firstWaitMs * 2 ** (attempt - 1) * (0.5 + Math.random()));
      }
    }
  }

  async #attempt<S extends z.ZodType>(
    { method, path, body, headers, schema }: ApiRequest<S>,
    [credentialName, credential]: readonly [string, string],
  ): Promise<z.output<S>> {
    const { name, url } = this.#options;
    let response: Response;
    let text: string;
    try {
      response = await fetch(`${url}${path}`, {
        method,
        headers: {
          accept: 'application/json',
          [credentialName]: credential,
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        redirect: 'error',
        signal: AbortSignal.timeout(attemptMs),
      });
      text = await boundedText(response);
    } catch (error) {
      throw new ProviderUnreachableError(`${name} did not answer: ${codeOf(error)}.`);
    }
    const [, secret = credential] = credential.split(' ');
    text = text.replaceAll(secret, '…');
    this.#requireGood(response, text);
    const parsed = schema.safeParse(jsonOf(text));
    if (parsed.success) return parsed.data;
    throw new ProviderUnreachableError(`${name} did not answer as it promises to: ${described(text)}`);
  }

  #requireGood({ status, ok, headers }: Response, text: string): void {
    const { name, now } = this.#options;
    if (ok) return;
    const said = `${name} answered ${status}: ${described(text)}`;
    if (status === 429) throw new ProviderThrottledError(said, retryAfterMs(headers, now()));
    if (status >= 500 || status === 408) throw new ProviderUnreachableError(said);
    throw new ProviderRefusedError(said);
  }
}

/** When to try again: seconds or a date in `Retry-After`, or the second at which Fastly's count begins anew. */
export function retryAfterMs(headers: Headers, now: number): number {
  const after = headers.get('retry-after');
  const reset = headers.get('fastly-ratelimit-reset');
  const ms =
    after === null
      ? reset === null
        ? defaultRetryMs
        : Number(reset) * 1000 - now
      : /^\d+$/.test(after)
        ? Number(after) * 1000
        : Date.parse(after) - now;
  return Number.isFinite(ms) ? Math.min(longestRetryMs, Math.max(1_000, ms)) : defaultRetryMs;
}

async function boundedText(response: Response): Promise<string> {
  if (response.body === null) return '';
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body) {
    size += chunk.length;
    if (size > maximumBytes) throw new Error('too-large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The code alone: messages of Node.js name addresses. */
function codeOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  if (cause instanceof Error && 'code' in cause && typeof cause.code === 'string') return cause.code;
  return cause instanceof Error ? cause.name : 'unknown';
}

const described = (text: string): string =>
  Array.from(redact(text.replaceAll(/[\p{C}\p{Z}]+/gu, ' ').trim()))
    .slice(0, 300)
    .join('');
