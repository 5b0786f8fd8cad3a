/** What one search may read. Whoever reaches a bound stops, says so, and says where to go on. */
export const searchBounds = {
  /** Queries to the table. */
  queries: 1_500,
  /** Blocks, of 2 000 spans at most. */
  blocks: 2_000,
  /** Services that one search is about: each has partitions of its own in each hour. */
  services: 200,
  /** Traces told apart while they are put in an order that is not that of time. */
  traces: 100_000,
} as const;

/** Counts what a search reads. */
export class Budget {
  readonly #inTime: () => boolean;
  #queries = 0;
  #blocks = 0;

  /** @param inTime whether there is time for more. */
  constructor(inTime: () => boolean = () => true) {
    this.#inTime = inTime;
  }

  countQuery(): void {
    this.#queries += 1;
  }

  countBlock(): void {
    this.#blocks += 1;
  }

  get exhausted(): boolean {
    return this.#queries >= searchBounds.queries || this.#blocks >= searchBounds.blocks || !this.#inTime();
  }
}
