import type { RouteContract } from './contract.ts';
import type { Caller, HttpRequest, InvocationContext } from './http-handler.ts';
import type { HttpAnswer } from './http-response.ts';

/** A request at a route, before anybody knows whether it is let in. */
export interface Arrival extends InvocationContext {
  readonly request: HttpRequest;
  readonly route: RouteContract;
}

/** A request that was let in. */
export interface Admission {
  /** Absent on open routes. */
  readonly caller: Caller | undefined;
  /** For every answer to it, also an error: what is left of the caller's limits. */
  readonly headers: Readonly<Record<string, string>>;
}

/** A request that was let in, with its parsed input. */
export interface Call extends Arrival {
  readonly caller: Caller | undefined;
  readonly input: { readonly params: unknown; readonly query: unknown; readonly body: unknown };
}

/** What the shared stack asks of the access capability, for each request. */
export interface Gate {
  /**
   * Finds out who makes a request, and whether and how often they may.
   *
   * @throws Problem 401, 403, 429, or 503 when that cannot be found out.
   */
  admit(arrival: Arrival): Promise<Admission>;
  /**
   * Runs a handler once for each `Idempotency-Key`, and gives a repeated request the answer of the first. Where an
   * attempt has failed or was cut short, the next one is given its work id; without one `handle` takes a new one.
   *
   * @throws Problem 400, 409 or 422 about the key; whatever the handler throws.
   */
  once(call: Call, handle: (workId?: string) => Promise<HttpAnswer>): Promise<HttpAnswer>;
  /** Keeps in the audit trail what became of a request that was to change something. Never throws. */
  record(call: Call, answer: { readonly status: number; readonly location?: string }): Promise<void>;
}

/** The route as API Gateway names it, `POST /api/…`. */
export const routeKeyOf = ({ method, path }: RouteContract): string => `${method} ${path}`;
