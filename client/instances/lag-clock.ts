/** How many positions of a writer are remembered. */
const mostSamples = 240;

/** Tells how far a reader is behind in time, by when its writer had come to which position. */
export class LagClock {
  /** In the order of their time; positions do not fall. */
  #samples: { readonly at: number; readonly position: bigint }[] = [];

  /** A writer had come to a position. One that falls begins anew: it is another writer, or another log. */
  record(at: number, position: bigint): void {
    const last = this.#samples.at(-1);
    if (last !== undefined && position < last.position) this.#samples = [];
    this.#samples.push({ at, position });
    // Of what is long ago every other one will do: what is far behind need not be known exactly.
    if (this.#samples.length > mostSamples) {
      const half = mostSamples / 2;
      this.#samples = this.#samples.filter((_, index) => index >= half || index % 2 === 0);
    }
  }

  clear(): void {
    this.#samples = [];
  }

  /**
   * For how long, at most, something that the writer has written has been missing where there is no more than `position`, in
   * seconds: 0 where nothing is known to be missing, undefined where it cannot be told.
   */
  lagSeconds(position: bigint, now: number): number | undefined {
    const newest = this.#samples.at(-1);
    if (newest === undefined) return undefined;
    if (position >= newest.position) return 0;
    const had = this.#samples.findLast((sample) => sample.position <= position);
    return had === undefined ? undefined : Math.max(0, now - had.at) / 1000;
  }
}
