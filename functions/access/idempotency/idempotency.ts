import { createHash } from 'node:crypto';
import {
  IdempotencyAlreadyInProgressError,
  IdempotencyConfig,
  IdempotencyItemNotFoundError,
  IdempotencyValidationError,
  makeIdempotent,
} from '@aws-lambda-powertools/idempotency';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import canonicalize from 'canonicalize';
import type { HttpAnswer } from '../../shared/http-response.ts';
import { Problem } from '../../shared/problem.ts';
import { AnswerStore } from './answer-store.ts';
import { keepAnswer, replayAnswer } from './kept-answer.ts';

const maximumAttempts = 3;

export interface IdempotencyOptions {
  readonly client: DynamoDBDocumentClient;
  readonly table: string;
  /** How long an answer is kept, in hours. */
  readonly hours: number;
  readonly now?: () => number;
  /** Hears of what could not be written to the store after the handler had run. Default: nobody. */
  readonly onUnkept?: (error: unknown) => void;
}

/** A request that creates something. */
export interface OnceRequest {
  /** Who sends it, and to which route: keys of different scopes are different keys. */
  readonly scope: string;
  /** The header `Idempotency-Key`: 1 to 255 visible ASCII characters. */
  readonly key: string;
  /** What a request with the same key has to be equal in, as JSON. Only its hash is kept. */
  readonly payload: unknown;
  /** Members of the answer that are kept as `null`. */
  readonly secrets: readonly string[];
  /** Milliseconds until the function is stopped; then the request may be repeated, also without an answer. */
  readonly remainingMs: () => number;
}

/** What became of a handler that has run. */
type Outcome = { readonly answer: HttpAnswer } | { readonly error: unknown };

/** The handler's outcome is not for keeping. */
class NotKept extends Error {}

/**
 * Runs a handler once for each key, as the header `Idempotency-Key` asks (draft-ietf-httpapi-idempotency-key-header). Answers
 * below 500 are kept; thrown errors and answers from 500 are not, so that the request may be sent again.
 *
 * What an attempt made before it failed, or before its function was stopped, cannot be known. So each attempt gets the
 * work id of the first, and a handler that names what it makes by that finds it again. For the same reason a key stays
 * bound to its payload when an attempt has failed: the draft has a key used with one payload only, 422 otherwise, and
 * the work of one payload must not be taken for another's. A request that was put right takes a new key.
 */
export class Idempotency {
  readonly #options: IdempotencyOptions;
  readonly #config: IdempotencyConfig;

  constructor(options: IdempotencyOptions) {
    this.#options = options;
    this.#config = new IdempotencyConfig({
      eventKeyJmesPath: 'key',
      payloadValidationJmesPath: 'payload',
      throwOnNoIdempotencyKey: true,
      hashFunction: 'sha256',
    });
  }

  /**
   * Answers with what `handle` does, or has answered to the first request of this key.
   *
   * @param handle gets the work id, a ULID: one for each key while its record is kept, `hours` after the last attempt.
   * @throws Problem 400 for a key that is none, 409 while the first request is being worked on, 422 for another payload,
   *   503 when the store does not answer; whatever `handle` throws.
   */
  async run(request: OnceRequest, handle: (workId: string) => Promise<HttpAnswer>): Promise<HttpAnswer> {
    requireKey(request.key);
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#attempt(request, handle);
      } catch (error) {
        // The record was at work and is no more: its request has failed, or its time has just ended.
        if (!(error instanceof IdempotencyItemNotFoundError)) throw error;
        if (attempt === maximumAttempts) throw inProgress();
      }
    }
  }

  async #attempt(request: OnceRequest, handle: (workId: string) => Promise<HttpAnswer>): Promise<HttpAnswer> {
    const { client, table, hours, now = Date.now, onUnkept } = this.#options;
    const { scope, key, payload, secrets, remainingMs } = request;
    const ran: { outcome?: Outcome } = {};
    const store = new AnswerStore({ client, table, hours, remainingMs, now });
    const once = makeIdempotent(
      async (_identity: { key: string; payload: string }): Promise<string> => {
        ran.outcome = await outcomeOf(() => handle(store.workId));
        if ('error' in ran.outcome || ran.outcome.answer.status >= 500) throw new NotKept();
        return keepAnswer(ran.outcome.answer, secrets);
      },
      {
        persistenceStore: store,
        config: this.#config,
        keyPrefix: scope,
        dataIndexArgument: 0,
      },
    );
    try {
      const kept = await once({ key, payload: fingerprintOf(payload) });
      if (ran.outcome === undefined) return replayAnswer(kept);
    } catch (error) {
      if (ran.outcome === undefined) throw toProblem(error);
      if (!(error instanceof NotKept)) onUnkept?.(error);
    }
    // What the handler did is done, whether or not that could be kept.
    if ('error' in ran.outcome) throw ran.outcome.error;
    return ran.outcome.answer;
  }
}

function requireKey(key: string): void {
  if (/^[\x21-\x7e]{1,255}$/.test(key)) return;
  const message = 'has 1 to 255 visible ASCII characters';
  throw new Problem('invalid-request', `The Idempotency-Key ${message}.`, {
    errors: [{ field: 'headers.idempotency-key', message }],
  });
}

async function outcomeOf(handle: () => Promise<HttpAnswer>): Promise<Outcome> {
  try {
    return { answer: await handle() };
  } catch (error) {
    return { error };
  }
}

/** By RFC 8785: in the form that Powertools hashes, the order of members counts whose names differ in case alone. */
const fingerprintOf = (payload: unknown): string =>
  createHash('sha256')
    .update(canonicalize(payload) ?? 'nothing')
    .digest('hex');

const inProgress = (): Problem =>
  new Problem('conflict', 'A request with this Idempotency-Key is being worked on.', {
    headers: { 'retry-after': '1' },
  });

function toProblem(error: unknown): unknown {
  if (error instanceof IdempotencyItemNotFoundError) return error;
  if (error instanceof IdempotencyAlreadyInProgressError) return inProgress();
  if (error instanceof IdempotencyValidationError) {
    return new Problem('unprocessable-request', 'This Idempotency-Key was used for a different request.');
  }
  return new Problem('not-available', 'Repeated requests cannot be told apart at the moment. Try again.', {
    cause: error,
    headers: { 'retry-after': '1' },
  });
}
