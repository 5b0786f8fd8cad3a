import type { ResourceSpans } from '../model.ts';
import { statsItems } from '../stats/stats-items.ts';
import { type BatchWriterOptions, putAll } from './batch-writer.ts';
import { blockItems, flatten, type Item, idOf, nameItems, traceItems } from './items.ts';
import { TraceReader } from './trace-reader.ts';

/** Names that one process remembers to have written. */
const rememberedNames = 20_000;

export interface SpanStoreOptions extends BatchWriterOptions {
  readonly retentionDays: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Traces, in the tracing table; `keys.ts` says how they lie there, `SpanBlocks` searches them. */
export class SpanStore extends TraceReader {
  readonly #options: SpanStoreOptions;
  readonly #written = new Set<string>();

  constructor(options: SpanStoreOptions) {
    super(options);
    this.#options = options;
  }

  /**
   * Stores spans. They are stored when this returns; storing them again changes nothing.
   *
   * @param batch spans that have passed the limits of ingest.
   * @throws DependencyError when DynamoDB did not take all of it: try again with all of it.
   */
  async putSpans(batch: readonly ResourceSpans[]): Promise<void> {
    const { retentionDays } = this.#options;
    const spans = flatten(batch);
    const written = (item: Item) => item.data === undefined && this.#written.has(idOf(item));
    const items = [
      ...traceItems(spans, retentionDays),
      ...blockItems(spans, retentionDays),
      ...nameItems(spans, retentionDays),
      ...statsItems(spans, retentionDays),
    ].filter((item) => !written(item));
    // One call takes no item twice.
    const distinct = new Map(items.map((item) => [idOf(item), item]));
    await putAll([...distinct.values()], this.#options);
    if (this.#written.size > rememberedNames) this.#written.clear();
    for (const [id, { data }] of distinct) if (data === undefined) this.#written.add(id);
  }
}
