import { spanKinds, type TraceSpan } from '../../../../functions/tracing/model.ts';

/** What a test says of a span; times are milliseconds. */
export interface SpanSample {
  readonly id: string;
  readonly parent?: string;
  readonly from: number;
  readonly to: number;
  readonly service?: string;
  readonly name?: string;
  readonly kind?: (typeof spanKinds)[number];
  readonly error?: boolean;
  readonly tags?: Readonly<Record<string, string>>;
  readonly host?: string;
}

export const traceId = '0af7651916cd43dd8448eb211c80319c';
/** A span id that begins with the given digits. */
export const spanIdOf = (id: string) => id.padEnd(16, '0');

/** Spans of one trace that starts at `baseMs`. */
export function spansOf(
  samples: readonly SpanSample[],
  baseMs = 1_800_000_000_000,
  trace = traceId,
): TraceSpan[] {
  return samples.map((sample) => {
    const { id, parent, from, to, service = 'api', name = 'work', kind = 'internal', error = false } = sample;
    const attributes = Object.entries(sample.tags ?? {}).map(([key, stringValue]) => ({
      ...{ key, value: { stringValue } },
    }));
    return {
      service,
      resource: {
        attributes: [
          { key: 'service.name', value: { stringValue: service } },
          ...(sample.host === undefined ? [] : [{ key: 'host.name', value: { stringValue: sample.host } }]),
        ],
      },
      span: {
        ...{ traceId: trace, spanId: spanIdOf(id), name, kind: spanKinds.indexOf(kind), attributes },
        ...(parent === undefined ? {} : { parentSpanId: spanIdOf(parent) }),
        startTimeUnixNano: nanoOf(baseMs + from),
        endTimeUnixNano: nanoOf(baseMs + to),
        ...(error ? { status: { code: 2, message: 'failed' } } : {}),
      },
    };
  });
}

const nanoOf = (ms: number) => String(BigInt(Math.round(ms * 1_000)) * 1_000n);
