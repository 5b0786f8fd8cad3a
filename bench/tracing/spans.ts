import type { KeyValue, ResourceSpans, StoredSpan } from '../../functions/tracing/model.ts';

/** What a request of the bench is like. */
export interface Batch {
  /** The same number makes the same spans. */
  readonly seed: number;
  readonly traces: number;
  readonly spansOfTrace: number;
  /** When its first trace starts, in milliseconds since the epoch, and how long after it the last one does. */
  readonly startMs: number;
  readonly withinMs: number;
}

export const services = ['web', 'cart', 'stock', 'pay', 'mail', 'search', 'media', 'login'] as const;
export type Service = (typeof services)[number];

/** Customers are told apart by a tag; every span of a trace has the trace's. */
export const customers = 1_000;
export const customerTag = 'customer.id';

/**
 * An OTLP message of traces that go through several services: ten attributes a span, one span in fifty failed. Customers take
 * their turns, trace by trace.
 */
export function messageOf({ seed, traces, spansOfTrace, startMs, withinMs }: Batch): ResourceSpans[] {
  const random = randomOf(seed);
  const byService = new Map<Service, StoredSpan[]>(services.map((service) => [service, []]));
  for (let trace = 0; trace < traces; trace++) {
    const traceId = traceIdOf(seed, trace);
    const customer = customerOf(seed * traces + trace);
    const at = startMs + (withinMs * trace) / traces;
    for (let index = 0; index < spansOfTrace; index++) {
      const service = services[(trace + index) % services.length] ?? 'web';
      byService.get(service)?.push(spanOf({ traceId, index, at, customer, service, random }));
    }
  }
  return [...byService]
    .filter(([, spans]) => spans.length > 0)
    .map(([service, spans]) => ({
      resource: { attributes: [text('service.name', service), text('service.version', '1.4.2')] },
      scopeSpans: [{ scope: { name: 'bench', version: '1.0.0' }, spans }],
    }));
}

export const traceIdOf = (seed: number, trace: number): string =>
  `${hex(seed + 1, 8)}${hex(trace + 1, 8)}`.padEnd(32, 'b');

/** The customer of the trace with this number among all. */
export const customerOf = (trace: number): string => `c-${trace % customers}`;

function spanOf(about: {
  traceId: string;
  index: number;
  at: number;
  customer: string;
  service: Service;
  random: () => number;
}): StoredSpan {
  const { traceId, index, at, customer, service, random } = about;
  const start = at + index * 2 + random();
  const failed = random() < 0.02;
  const item = Math.floor(random() * 40);
  return {
    traceId,
    spanId: hex(index + 1, 16),
    ...(index === 0 ? {} : { parentSpanId: hex(Math.floor((index - 1) / 3) + 1, 16) }),
    name: `GET /${service}/items/{item}`,
    kind: index % 2 === 0 ? 2 : 3,
    startTimeUnixNano: nano(start),
    endTimeUnixNano: nano(start + 1 + random() * 200),
    attributes: [
      text('http.request.method', 'GET'),
      text('http.route', `/${service}/items/{item}`),
      int('http.response.status_code', failed ? 500 : 200),
      text('url.path', `/${service}/items/${item}`),
      text('url.scheme', 'https'),
      text('server.address', `${service}.internal.example.com`),
      int('server.port', 8_443),
      text(customerTag, customer),
      text('user_agent.original', 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'),
      { key: 'cache.hit', value: { boolValue: random() < 0.5 } },
    ],
    ...(failed && { status: { code: 2, message: 'upstream timed out' } }),
  };
}

const text = (key: string, stringValue: string): KeyValue => ({ key, value: { stringValue } });
const int = (key: string, value: number): KeyValue => ({ key, value: { intValue: String(value) } });
const hex = (value: number, digits: number) => value.toString(16).padStart(digits, '0');
const nano = (ms: number) => String(BigInt(Math.round(ms * 1_000)) * 1_000n);

/** Mulberry32: numbers from 0 to 1 that follow from the seed. */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
