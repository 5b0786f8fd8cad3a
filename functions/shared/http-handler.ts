import type { Logger } from '@aws-lambda-powertools/logger';
import type { Metrics } from '@aws-lambda-powertools/metrics';
import type * as z from 'zod';
import type { Tier } from '../access/policy.ts';
import type { CapabilityContract, ResponseContract, RouteContract, Scope } from './contract.ts';
import type { Trace } from './traceparent.ts';

/** Who makes a request: the API key that was presented and what it may do. */
export interface Caller {
  /** The key's public id; the secret part is never kept. */
  readonly keyId: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** How many requests per minute its owner has. */
  readonly tier: Tier;
  /** The tenant whose data the key sees; absent for keys of the platform's operators. */
  readonly tenant?: string;
}

/** The parts of a request that a contract does not describe. */
export interface HttpRequest {
  readonly method: string;
  /** As sent, without the query string. */
  readonly path: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The client's address as API Gateway saw it; never taken from a header. */
  readonly sourceIp: string;
  readonly requestId: string;
  /** When API Gateway received the request. */
  readonly time: Date;
}

/** What every handler gets besides its input. */
export interface InvocationContext {
  readonly trace: Trace;
  /** Each line carries the trace id, the route and the tenant. */
  readonly log: Logger;
  /** Published as EMF when the invocation ends. */
  readonly metrics: Metrics;
  /** Milliseconds until Lambda ends this invocation. */
  remainingMs(): number;
}

type Parsed<R, Part extends string, Otherwise> = R extends { readonly [P in Part]: infer S extends z.ZodType }
  ? z.output<S>
  : Otherwise;

/** What a route's handler gets: everything parsed and checked against the contract. */
export interface HttpInput<R extends RouteContract> extends InvocationContext {
  readonly params: Parsed<R, 'params', Record<string, never>>;
  readonly query: Parsed<R, 'query', Record<string, never>>;
  readonly body: R extends { readonly rawBody: object } ? Uint8Array : Parsed<R, 'body', undefined>;
  /** Absent on open routes. */
  readonly caller: R['scope'] extends 'open' ? undefined : Caller;
  readonly request: HttpRequest;
  /**
   * Names the work that is asked for, a ULID: what a handler makes has this id, or one that is derived from it. A request
   * that is repeated with its `Idempotency-Key` after an attempt that was cut short brings the same one, so that
   * handlers find again what that attempt has made; otherwise it is a new one.
   */
  readonly workId: string;
}

type BodyOf<S extends ResponseContract> = S extends { readonly schema: infer T extends z.ZodType }
  ? { readonly body: z.input<T> }
  : S extends { readonly contentType: string }
    ? { readonly body: string | Uint8Array }
    : { readonly body?: undefined };

/** One of the answers that the contract lists. A body with a schema is sent as JSON. */
export type HttpResult<R extends RouteContract> = {
  [Status in keyof R['responses'] & number]: {
    readonly status: Status;
    /** Names in lower case; they win over the defaults of the shared stack (`cache-control`, …). */
    readonly headers?: Readonly<Record<string, string>>;
  } & BodyOf<R['responses'][Status]>;
}[keyof R['responses'] & number];

export type HttpHandler<R extends RouteContract> = (
  input: HttpInput<R>,
) => HttpResult<R> | Promise<HttpResult<R>>;

/** One handler for each of some routes, under the route's name. */
export type RouteHandlers<R extends Record<string, RouteContract>> = {
  readonly [Name in keyof R]: HttpHandler<R[Name]>;
};

type ServedBy<R extends RouteContract> = R extends { readonly servedBy: infer F extends string } ? F : 'api';

/** One handler for each route of a contract that one of its functions serves. */
export type HttpHandlers<C extends CapabilityContract, F extends string = 'api'> = RouteHandlers<{
  [Name in keyof C['routes'] as F extends ServedBy<C['routes'][Name]> ? Name : never]: C['routes'][Name];
}>;
