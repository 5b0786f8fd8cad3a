import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { queryPages } from '../../shared/query-pages.ts';
import type { ResourceSpans, TraceSpan } from '../model.ts';
import { flatten } from './items.ts';
import { traceKey } from './keys.ts';
import { unpack } from './packed.ts';

/** The most spans of a trace that are read. */
export const maximumSpansOfTrace = 20_000;

export interface StoredTrace {
  readonly traceId: string;
  /** Each span once, in no order. */
  readonly spans: readonly TraceSpan[];
  /** Whether these are all that are stored: the trace has no more than `maximumSpansOfTrace`. */
  readonly complete: boolean;
}

export interface TraceReaderOptions {
  readonly client: DynamoDBDocumentClient;
  readonly table: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Reads traces by their ids. */
export class TraceReader {
  readonly #options: TraceReaderOptions;

  constructor(options: TraceReaderOptions) {
    this.#options = options;
  }

  /** All spans of a trace; none when there is no such trace. */
  async spansOf(traceId: string): Promise<StoredTrace> {
    const { client, table, now } = this.#options;
    const spans = new Map<string, TraceSpan>();
    let unread = false;
    const pages = queryPages(client, {
      TableName: table,
      // Who has just been told that spans are stored finds them.
      ConsistentRead: true,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': traceKey(traceId), ':now': now() / 1_000 },
      // DynamoDB may take days to remove what has ended.
      FilterExpression: 'expiresAt > :now',
    });
    for await (const { items, more } of pages) {
      for (const { data } of items) {
        if (!(data instanceof Uint8Array)) continue;
        const message: { resourceSpans: ResourceSpans[] } = JSON.parse(unpack(data));
        for (const item of flatten(message.resourceSpans)) {
          if (!spans.has(item.span.spanId)) spans.set(item.span.spanId, item);
        }
      }
      unread = more;
      if (spans.size >= maximumSpansOfTrace) break;
    }
    const complete = !unread && spans.size <= maximumSpansOfTrace;
    return { traceId, spans: [...spans.values()].slice(0, maximumSpansOfTrace), complete };
  }
}
