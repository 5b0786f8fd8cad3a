import { QueryCommand, type QueryCommandInput } from '@aws-sdk/lib-dynamodb';
import { onDependency } from '../../shared/dependency.ts';
import type { ResourceSpans, TraceSpan } from '../model.ts';
import { type BatchWriterOptions, putAll } from './batch-writer.ts';
import { blockItems, flatten, type Item, idOf, nameItems, traceItems } from './items.ts';
import { traceKey } from './keys.ts';
import { unpack } from './packed.ts';

/** The most spans of a trace that are read. */
export const maximumSpansOfTrace = 20_000;
/** Names that one process remembers to have written. */
const rememberedNames = 20_000;

export interface StoredTrace {
  readonly traceId: string;
  /** Each span once, in no order. */
  readonly spans: readonly TraceSpan[];
  /** Whether these are all that are stored: the trace has no more than `maximumSpansOfTrace`. */
  readonly complete: boolean;
}

export interface SpanStoreOptions extends BatchWriterOptions {
  readonly retentionDays: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Makes further items of a batch, which follow from its spans as all others do. */
  readonly further?: (spans: readonly TraceSpan[]) => readonly Item[];
}

/** Traces, in the tracing table; `keys.ts` says how they lie there, `SpanBlocks` searches them. */
export class SpanStore {
  readonly #options: SpanStoreOptions;
  readonly #written = new Set<string>();

  constructor(options: SpanStoreOptions) {
    this.#options = options;
  }

  /**
   * Stores spans. They are stored when this returns; storing them again changes nothing.
   *
   * @param batch spans that have passed the limits of ingest.
   * @throws DependencyError when DynamoDB did not take all of it: try again with all of it.
   */
  async putSpans(batch: readonly ResourceSpans[]): Promise<void> {
    const { retentionDays, further = () => [] } = this.#options;
    const spans = flatten(batch);
    const written = (item: Item) => item.data === undefined && this.#written.has(idOf(item));
    const items = [
      ...traceItems(spans, retentionDays),
      ...blockItems(spans, retentionDays),
      ...nameItems(spans, retentionDays),
      ...further(spans),
    ].filter((item) => !written(item));
    // One call takes no item twice.
    const distinct = new Map(items.map((item) => [idOf(item), item]));
    await putAll([...distinct.values()], this.#options);
    if (this.#written.size > rememberedNames) this.#written.clear();
    for (const [id, { data }] of distinct) if (data === undefined) this.#written.add(id);
  }

  /** All spans of a trace; none when there is no such trace. */
  async spansOf(traceId: string): Promise<StoredTrace> {
    const spans = new Map<string, TraceSpan>();
    let next: QueryCommandInput['ExclusiveStartKey'];
    do {
      const page = await this.#page(traceId, next);
      for (const { data } of page.items) {
        const message: { resourceSpans: ResourceSpans[] } = JSON.parse(unpack(data));
        for (const item of flatten(message.resourceSpans)) {
          if (!spans.has(item.span.spanId)) spans.set(item.span.spanId, item);
        }
      }
      next = page.next;
    } while (next !== undefined && spans.size < maximumSpansOfTrace);
    const complete = next === undefined && spans.size <= maximumSpansOfTrace;
    return { traceId, spans: [...spans.values()].slice(0, maximumSpansOfTrace), complete };
  }

  async #page(traceId: string, from: QueryCommandInput['ExclusiveStartKey']) {
    const { client, table, now } = this.#options;
    const { Items = [], LastEvaluatedKey } = await onDependency('DynamoDB', 'Query', () =>
      client.send(
        new QueryCommand({
          TableName: table,
          // Who has just been told that spans are stored finds them.
          ConsistentRead: true,
          KeyConditionExpression: 'pk = :pk',
          ExpressionAttributeValues: { ':pk': traceKey(traceId), ':now': now() / 1_000 },
          // DynamoDB may take days to remove what has ended.
          FilterExpression: 'expiresAt > :now',
          ExclusiveStartKey: from,
        }),
      ),
    );
    const items = Items.flatMap(({ data }) => (data instanceof Uint8Array ? [{ data }] : []));
    return { items, next: LastEvaluatedKey };
  }
}
