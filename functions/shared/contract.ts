import type * as z from 'zod';

/** The capabilities of the product; the same names are used in lib/, functions/, test/ and in the API. */
export const capabilities = [
  'cdn',
  'shards',
  'tracing',
  'monitoring',
  'recovery',
  'services',
  'access',
] as const;
export type Capability = (typeof capabilities)[number];

/**
 * What a caller needs to use a route. `open` needs nothing, `any` a key that is good. `admin` includes every other scope;
 * `<capability>:read` is satisfied by `<capability>:write` as well.
 */
export type Scope = 'admin' | 'ingest' | `${Capability}:read` | `${Capability}:write`;
export type RouteScope = Scope | 'open' | 'any';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** Protocols that routes speak beside this API's own. Their errors have the protocol's form. */
export const protocols = ['otlp', 'jaeger', 'tempo', 'prometheus'] as const;
export type Protocol = (typeof protocols)[number];

/** A body that is taken as bytes. What its `Content-Encoding` means is the handler's. */
export interface RawBodyContract {
  /** Without parameters, in lower case. */
  contentTypes: readonly string[];
  /** As it is sent. */
  maximumBytes: number;
}

/** One answer a route can give, besides the problem details that every route can give. */
export interface ResponseContract {
  description: string;
  schema?: z.ZodType;
  /** Default `application/json`. */
  contentType?: string;
  headers?: Record<string, string>;
}

/**
 * One route of the API. Schemas are strict objects: an unknown field is an error that names it.
 * `path` uses API Gateway's `{name}` placeholders.
 */
export interface RouteContract {
  method: Method;
  path: `/${string}`;
  scope: RouteScope;
  summary: string;
  description?: string;
  params?: z.ZodObject;
  query?: z.ZodObject;
  body?: z.ZodType;
  /** Instead of `body`. */
  rawBody?: RawBodyContract;
  responses: Record<number, ResponseContract>;
  /** A tenant's key may use it, and sees that tenant only. Without it, keys of the platform's operators alone. */
  tenants?: boolean;
  /**
   * It creates something: done once per `Idempotency-Key`. Members of the answer named by `secrets` are never kept: a
   * repeated request gets `null` there.
   */
  once?: { secrets?: readonly string[] };
  /** Anybody may ask it, from any address and as often as they like: monitors do all the time. For open routes only. */
  uncounted?: boolean;
  /** Whose errors it answers with; without it, problem details. */
  protocol?: Protocol;
  /** Which of the contract's functions serves it; default `api`. */
  servedBy?: string;
  /** It only adds data, and all the time: what it does is not in the audit trail. Who is refused is. */
  unaudited?: boolean;
}

/** What a function needs around its code, read by infrastructure, handlers and tests. */
export interface FunctionContract {
  /** Environment variables, validated at cold start. */
  environment: z.ZodObject;
  /** The event a non-HTTP function accepts. */
  event?: z.ZodType;
  /** What it returns, where a workflow or another function reads that. */
  result?: z.ZodType;
  /** Files copied beside the bundle, as package specifiers (`pkg/dist/file.wasm`). */
  files?: readonly string[];
  /** Further entry points bundled beside `index.mjs`, as module names of the same folder. */
  workers?: readonly string[];
  /** Whether it answers every request that no route of the API matches (`$default`). Exactly one does. */
  fallback?: boolean;
}

/** All that a capability promises: its routes, and the functions that keep the promise. Its function `api` serves the routes that name no other. */
export interface CapabilityContract {
  name: string;
  title: string;
  description: string;
  routes: Record<string, RouteContract>;
  functions: Record<string, FunctionContract>;
}

/** The routes that one of a contract's functions serves. */
export function routesOf({ routes }: CapabilityContract, fn: string): [string, RouteContract][] {
  return Object.entries(routes).filter(([, { servedBy = 'api' }]) => servedBy === fn);
}

/** Declares a contract and keeps its literal types. */
export function defineContract<const C extends CapabilityContract>(contract: C): C {
  return contract;
}
