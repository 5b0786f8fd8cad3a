import { durationMsOf, isError, type KeyValue, msOfNano, spanKinds, type TraceSpan } from '../model.ts';
import { Groups } from './groups.ts';

/** Time that is counted together; ranges are rounded to it. */
export const slotMs = 300_000;
/** The most operations that one aggregate tells apart; further ones count under `otherOperations`. */
export const maximumOperations = 2_000;
export const otherOperations = '(other operations)';
/** The most halves of calls that one aggregate keeps until the other half comes. */
export const maximumHalves = 4_000;

/** A call that its caller has told. */
export interface CallerHalf {
  readonly slot: number;
  readonly from: string;
}

/** A call that the one who was called has told. */
export interface CalleeHalf {
  readonly slot: number;
  readonly to: string;
  readonly durationMs: number;
  readonly error: boolean;
}

/**
 * What is counted of spans: operations, and calls between services. The two halves of a call, told by the caller
 * and by the one called, mostly come in different requests: each is kept under the span id of the caller until both are there.
 */
export class Aggregate {
  /** Slot, service, operation, kind, `entry` where a request came in by it or began with it. */
  readonly operations = new Groups();
  /** Slot, calling service, called service. */
  readonly calls = new Groups();
  readonly callers = new Map<string, CallerHalf>();
  readonly callees = new Map<string, CalleeHalf>();

  /** Counts the spans of one request. */
  static of(spans: readonly TraceSpan[]): Aggregate {
    const aggregate = new Aggregate();
    const byId = new Map(spans.map((item) => [item.span.spanId, item]));
    for (const item of byId.values()) aggregate.#add(item, byId);
    return aggregate;
  }

  /** Takes all of another aggregate, and joins the halves of calls that meet. */
  merge(other: Aggregate): void {
    for (const [names, tally] of other.operations.entries())
      this.operations.merge(this.#bounded(names), tally);
    this.calls.mergeAll(other.calls);
    for (const [id, half] of other.callers) keep(this.callers, id, half);
    for (const [id, half] of other.callees) keep(this.callees, id, half);
    for (const [id, callee] of this.callees) {
      const caller = this.callers.get(id);
      if (caller === undefined) continue;
      this.callees.delete(id);
      if (caller.from !== callee.to) {
        this.calls.add([String(callee.slot), caller.from, callee.to], callee.durationMs, callee.error);
      }
    }
  }

  #add(item: TraceSpan, byId: ReadonlyMap<string, TraceSpan>): void {
    const { service, span } = item;
    const slot = slotOf(item);
    const kind = spanKinds[span.kind] ?? 'unspecified';
    const [durationMs, error] = [durationMsOf(span), isError(span)];
    const entry = kind === 'server' || kind === 'consumer' || span.parentSpanId === undefined;
    const names = [String(slot), service, span.name.slice(0, 256), kind, entry ? 'entry' : ''];
    this.operations.add(this.#bounded(names), durationMs, error);
    const parent = span.parentSpanId === undefined ? undefined : byId.get(span.parentSpanId);
    if (parent !== undefined && parent.service !== service) {
      this.calls.add([String(slot), parent.service, service], durationMs, error);
    } else if (parent === undefined && span.parentSpanId !== undefined && isCalled(kind)) {
      keep(this.callees, span.parentSpanId, { slot, to: service, durationMs, error });
    }
    if (kind !== 'client' && kind !== 'producer') return;
    const peer = peerOf(span.attributes);
    if (peer === undefined) keep(this.callers, span.spanId, { slot, from: service });
    else this.calls.add([String(slot), service, peer], durationMs, error);
  }

  #bounded(names: readonly string[]): readonly string[] {
    if (this.operations.size < maximumOperations) return names;
    const [slot = '', service = '', , kind = '', entry = ''] = names;
    return [slot, service, otherOperations, kind, entry];
  }
}

const isCalled = (kind: string) => kind === 'server' || kind === 'consumer';

/** Slots are counted since the epoch. */
const slotOf = ({ span }: TraceSpan) => Math.floor(msOfNano(span.startTimeUnixNano) / slotMs);

/** A database or the like that is called and tells no spans itself, by OpenTelemetry’s names for it. */
function peerOf(attributes: readonly KeyValue[]): string | undefined {
  for (const key of ['db.system.name', 'db.system']) {
    const value = attributes.find((attribute) => attribute.key === key)?.value.stringValue;
    if (value !== undefined && value !== '') return value.slice(0, 256);
  }
  return undefined;
}

/** Keeps the first; over the bound, none: a graph of very many calls does without some of them. */
function keep<T>(halves: Map<string, T>, id: string, half: T): void {
  if (halves.size < maximumHalves && !halves.has(id)) halves.set(id, half);
}
