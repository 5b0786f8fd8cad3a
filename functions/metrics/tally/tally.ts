import { QuantileSketch } from '../../shared/sketches/quantile.ts';
import { errorPattern } from './error-pattern.ts';
import { hourOf } from './hours.ts';
import type { Seen } from './seen.ts';

export const statusClasses = ['1xx', '2xx', '3xx', '4xx', '5xx'] as const;
export type StatusClass = (typeof statusClasses)[number];

/** A request that stands for others: the slowest of the latest hour, with the trace that shows why. */
export interface Exemplar {
  readonly traceId: string;
  readonly durationMs: number;
  /** Ms since 1970. */
  readonly at: number;
}

export interface RouteTally {
  readonly service: string;
  readonly codes: Partial<Record<StatusClass, number>>;
  readonly latency: QuantileSketch;
  sumMs: number;
  exemplar: Exemplar | undefined;
}

export interface FunctionTally {
  readonly service: string;
  invocations: number;
  errors: number;
  coldStarts: number;
  readonly duration: QuantileSketch;
  sumMs: number;
  peakMemoryBytes: number;
  memoryLimitBytes: number;
}

/** What a tenant has used. */
export interface TenantTally {
  /** Requests of the API by class of status, and how long they took together. */
  readonly codes: Partial<Record<StatusClass, number>>;
  sumMs: number;
  /** Of its websites at the edge. */
  edgeRequests: number;
  edgeBytes: number;
}

export interface ErrorTally {
  readonly type: string;
  /** The route of the API, or the function. */
  readonly where: string;
  readonly pattern: string;
  count: number;
  firstAt: number;
  lastAt: number;
  traceId: string | undefined;
}

/** How many of each a tally keeps apart; what comes beyond is counted as `other`. */
export const mostKept = { routes: 300, functions: 300, errors: 200, tenants: 1_000 } as const;
export const other = 'other';

/**
 * What was seen of invocations, added up. Adding and merging come to the same in any order and grouping, as long as nothing is
 * beyond `mostKept`.
 */
export class Tally {
  readonly routes = new Map<string, RouteTally>();
  readonly functions = new Map<string, FunctionTally>();
  readonly tenants = new Map<string, TenantTally>();
  /** By type, place and pattern. */
  readonly errors = new Map<string, ErrorTally>();

  /** Takes one invocation. */
  add(seen: Seen): void {
    const { service, durationMs, at, traceId, error, request } = seen;
    const fn = this.function(seen.fn, service);
    fn.invocations += 1;
    fn.coldStarts += seen.coldStart ? 1 : 0;
    fn.errors += error === undefined ? 0 : 1;
    fn.duration.add(durationMs);
    fn.sumMs += durationMs;
    fn.peakMemoryBytes = Math.max(fn.peakMemoryBytes, seen.memoryBytes ?? 0);
    fn.memoryLimitBytes = Math.max(fn.memoryLimitBytes, seen.memoryLimitBytes ?? 0);
    if (request !== undefined) {
      const route = this.route(request.route, service);
      const code = statusClass(request.status);
      route.codes[code] = (route.codes[code] ?? 0) + 1;
      route.latency.add(durationMs);
      route.sumMs += durationMs;
      if (traceId !== undefined) route.exemplar = slower(route.exemplar, { traceId, durationMs, at });
    }
    if (request !== undefined && seen.tenant !== undefined) {
      const tenant = this.tenant(seen.tenant);
      const code = statusClass(request.status);
      tenant.codes[code] = (tenant.codes[code] ?? 0) + 1;
      tenant.sumMs += durationMs;
    }
    if (error !== undefined) {
      const where = request?.route ?? seen.fn;
      const pattern = errorPattern(error.message);
      this.#error({ type: error.type, where, pattern, count: 1, firstAt: at, lastAt: at, traceId });
    }
  }

  /** Takes all that another tally has taken. */
  merge(from: Tally): void {
    for (const [name, theirs] of from.routes) {
      const ours = this.route(name, theirs.service);
      addCodes(ours.codes, theirs.codes);
      ours.latency.merge(theirs.latency);
      ours.sumMs += theirs.sumMs;
      if (theirs.exemplar !== undefined) ours.exemplar = slower(ours.exemplar, theirs.exemplar);
    }
    for (const [name, theirs] of from.functions) {
      const ours = this.function(name, theirs.service);
      ours.invocations += theirs.invocations;
      ours.errors += theirs.errors;
      ours.coldStarts += theirs.coldStarts;
      ours.duration.merge(theirs.duration);
      ours.sumMs += theirs.sumMs;
      ours.peakMemoryBytes = Math.max(ours.peakMemoryBytes, theirs.peakMemoryBytes);
      ours.memoryLimitBytes = Math.max(ours.memoryLimitBytes, theirs.memoryLimitBytes);
    }
    for (const [name, theirs] of from.tenants) {
      const ours = this.tenant(name);
      addCodes(ours.codes, theirs.codes);
      ours.sumMs += theirs.sumMs;
      ours.edgeRequests += theirs.edgeRequests;
      ours.edgeBytes += theirs.edgeBytes;
    }
    for (const theirs of from.errors.values()) this.#error(theirs);
  }

  /** What is counted of a tenant; beyond `mostKept`, of all others together. */
  tenant(name: string): TenantTally {
    return kept(this.tenants, name, mostKept.tenants, () => ({
      ...{ codes: {}, sumMs: 0, edgeRequests: 0, edgeBytes: 0 },
    }));
  }

  /** What is counted of a route; beyond `mostKept`, of all others together. */
  route(name: string, service: string): RouteTally {
    return kept(this.routes, name, mostKept.routes, () => ({
      ...{ service, codes: {}, latency: new QuantileSketch(), sumMs: 0, exemplar: undefined },
    }));
  }

  /** What is counted of a function; beyond `mostKept`, of all others together. */
  function(name: string, service: string): FunctionTally {
    return kept(this.functions, name, mostKept.functions, () => ({
      ...{ service, invocations: 0, errors: 0, coldStarts: 0, duration: new QuantileSketch(), sumMs: 0 },
      ...{ peakMemoryBytes: 0, memoryLimitBytes: 0 },
    }));
  }

  #error(theirs: ErrorTally): void {
    const key = errorKey(theirs);
    const full = this.errors.size >= mostKept.errors && !this.errors.has(key);
    const ours = full
      ? (this.errors.get(errorKey(elsewhere)) ?? this.#put({ ...theirs, ...elsewhere, count: 0 }))
      : (this.errors.get(key) ?? this.#put({ ...theirs, count: 0 }));
    ours.count += theirs.count;
    ours.firstAt = Math.min(ours.firstAt, theirs.firstAt);
    if (theirs.lastAt >= ours.lastAt) {
      ours.lastAt = theirs.lastAt;
      ours.traceId = theirs.traceId ?? ours.traceId;
    }
  }

  #put(error: ErrorTally): ErrorTally {
    this.errors.set(errorKey(error), error);
    return error;
  }
}

function addCodes(ours: RouteTally['codes'], theirs: RouteTally['codes']): void {
  for (const code of statusClasses) {
    const count = theirs[code];
    if (count !== undefined) ours[code] = (ours[code] ?? 0) + count;
  }
}

/** What stands for the errors of which there are too many kinds. */
const elsewhere = { type: other, where: other, pattern: other } as const;

/** The largest share of its memory that a function has used, 0 to 1. */
export function memoryUsed({ functions }: Tally): number {
  const shares = [...functions.values()].map(({ peakMemoryBytes, memoryLimitBytes }) =>
    memoryLimitBytes === 0 ? 0 : peakMemoryBytes / memoryLimitBytes,
  );
  return Math.max(0, ...shares);
}

export const errorKey = ({ type, where, pattern }: Pick<ErrorTally, 'type' | 'where' | 'pattern'>): string =>
  JSON.stringify([type, where, pattern]);

/** @param status of HTTP, 100 to 599. */
export function statusClass(status: number): StatusClass {
  return statusClasses[Math.min(5, Math.max(1, Math.floor(status / 100))) - 1] ?? '5xx';
}

function kept<T>(map: Map<string, T>, name: string, most: number, make: () => T): T {
  const key = map.has(name) || map.size < most ? name : other;
  const found = map.get(key);
  if (found !== undefined) return found;
  const made = make();
  map.set(key, made);
  return made;
}

/** The slowest of the latest hour: a rule that does not depend on the order. */
function slower(one: Exemplar | undefined, two: Exemplar): Exemplar {
  if (one === undefined) return two;
  const hours = hourOf(one.at).localeCompare(hourOf(two.at));
  return (hours || one.durationMs - two.durationMs || one.at - two.at) >= 0 ? one : two;
}
