import { durationMsOf, isError, msOfNano, type Resource, type TraceSpan } from '../model.ts';
import { tagsOf } from './tags.ts';

/**
 * What can be searched of some spans of one service, as it is stored: columns of equal length, and one list of texts that they
 * point into. `tags` and `resources` are pairs: text of the key, text of the value, and so on.
 */
export interface BlockColumns {
  readonly texts: readonly string[];
  readonly traceId: readonly number[];
  readonly spanId: readonly string[];
  /** Empty on roots. */
  readonly parentSpanId: readonly string[];
  readonly operation: readonly number[];
  readonly kind: readonly number[];
  /** Milliseconds since `base`, with nanoseconds as decimals. */
  readonly start: readonly number[];
  readonly duration: readonly number[];
  /** 1 where the span says that it failed. */
  readonly error: readonly number[];
  readonly tags: readonly (readonly number[])[];
  readonly resource: readonly number[];
  readonly resources: readonly (readonly number[])[];
  /** Milliseconds since the epoch. */
  readonly base: number;
}

/** What can be searched of one span. */
export interface SpanEntry {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly service: string;
  readonly operation: string;
  /** Position in `spanKinds`. */
  readonly kind: number;
  /** Since the epoch, with decimals. */
  readonly startMs: number;
  readonly durationMs: number;
  readonly error: boolean;
}

/** The searchable spans of one service in one request and hour: found whole, read column by column. */
export class SpanBlock {
  readonly service: string;
  readonly columns: BlockColumns;
  #positions: Map<string, number> | undefined;

  constructor(service: string, columns: BlockColumns) {
    this.service = service;
    this.columns = columns;
  }

  get length(): number {
    return this.columns.spanId.length;
  }

  /** Since the epoch. */
  startMs(index: number): number {
    return this.columns.base + (this.columns.start[index] ?? 0);
  }

  durationMs(index: number): number {
    return this.columns.duration[index] ?? 0;
  }

  isError(index: number): boolean {
    return this.columns.error[index] === 1;
  }

  /** Where the block's list of texts has one: a text that it has not is in none of its spans. */
  positionOf(text: string): number | undefined {
    this.#positions ??= new Map(this.columns.texts.map((known, position) => [known, position]));
    return this.#positions.get(text);
  }

  /** Whether the span or its resource has this tag. `key` and `value` are positions of texts. */
  hasTag(index: number, key: number, value: number): boolean {
    const { tags, resource, resources } = this.columns;
    return hasPair(tags[index], key, value) || hasPair(resources[resource[index] ?? -1], key, value);
  }

  /** The tags of the span, then those of its resource. */
  tags(index: number): [string, string][] {
    const { tags, resource, resources, texts } = this.columns;
    const pairs = [...(tags[index] ?? []), ...(resources[resource[index] ?? -1] ?? [])];
    const found: [string, string][] = [];
    for (let at = 0; at + 1 < pairs.length; at += 2) {
      found.push([texts[pairs[at] ?? -1] ?? '', texts[pairs[at + 1] ?? -1] ?? '']);
    }
    return found;
  }

  entry(index: number): SpanEntry {
    const { columns, service } = this;
    const parentSpanId = columns.parentSpanId[index] ?? '';
    return {
      traceId: columns.texts[columns.traceId[index] ?? -1] ?? '',
      spanId: columns.spanId[index] ?? '',
      parentSpanId: parentSpanId === '' ? undefined : parentSpanId,
      service,
      operation: columns.texts[columns.operation[index] ?? -1] ?? '',
      kind: columns.kind[index] ?? 0,
      startMs: this.startMs(index),
      durationMs: this.durationMs(index),
      error: this.isError(index),
    };
  }
}

function hasPair(pairs: readonly number[] | undefined, key: number, value: number): boolean {
  if (pairs === undefined) return false;
  for (let at = 0; at < pairs.length; at += 2) if (pairs[at] === key && pairs[at + 1] === value) return true;
  return false;
}

/** The columns of some spans; the same spans always give the same. */
export function columnsOf(spans: readonly TraceSpan[]): BlockColumns {
  const positions = new Map<string, number>();
  const known = (text: string): number => {
    const position = positions.get(text) ?? positions.size;
    positions.set(text, position);
    return position;
  };
  const pairsOf = (tags: readonly (readonly [string, string])[]) =>
    tags.flatMap(([key, value]) => [known(key), known(value)]);
  const resources = new Map<Resource, number>();
  const base = Math.floor(msOfNano(spans[0]?.span.startTimeUnixNano ?? '0'));
  const resource = spans.map((item) => {
    const index = resources.get(item.resource) ?? resources.size;
    resources.set(item.resource, index);
    return index;
  });
  const columns = {
    traceId: spans.map(({ span }) => known(span.traceId)),
    spanId: spans.map(({ span }) => span.spanId),
    parentSpanId: spans.map(({ span }) => span.parentSpanId ?? ''),
    operation: spans.map(({ span }) => known(span.name)),
    kind: spans.map(({ span }) => span.kind),
    start: spans.map(({ span }) => rounded(msOfNano(span.startTimeUnixNano) - base)),
    duration: spans.map(({ span }) => rounded(durationMsOf(span))),
    error: spans.map(({ span }) => (isError(span) ? 1 : 0)),
    tags: spans.map(({ span }) => pairsOf(tagsOf(span.attributes))),
    resource,
    resources: [...resources.keys()].map(({ attributes }) => pairsOf(tagsOf(attributes))),
    base,
  };
  return { texts: [...positions.keys()], ...columns };
}

/** To nanoseconds. */
const rounded = (ms: number) => Math.round(ms * 1e6) / 1e6;
