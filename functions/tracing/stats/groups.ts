import { QuantileSketch } from '../../shared/sketches/quantile.ts';

/** Calls that are counted together. */
export interface Tally {
  count: number;
  errors: number;
  /** Of durations in milliseconds. */
  readonly durations: QuantileSketch;
}

/** Tallies by the names they are counted under. Merging is adding: any order and grouping gives the same. */
export class Groups {
  readonly #tallies = new Map<string, { readonly names: readonly string[]; readonly tally: Tally }>();

  add(names: readonly string[], durationMs: number, error: boolean): void {
    const tally = this.#of(names);
    tally.count += 1;
    if (error) tally.errors += 1;
    tally.durations.add(durationMs);
  }

  merge(names: readonly string[], other: Tally): void {
    const tally = this.#of(names);
    tally.count += other.count;
    tally.errors += other.errors;
    tally.durations.merge(other.durations);
  }

  mergeAll(other: Groups): void {
    for (const [names, tally] of other.entries()) this.merge(names, tally);
  }

  /** In the order of their names. */
  entries(): [names: readonly string[], tally: Tally][] {
    return [...this.#tallies]
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([, { names, tally }]) => [names, tally]);
  }

  get size(): number {
    return this.#tallies.size;
  }

  #of(names: readonly string[]): Tally {
    const key = JSON.stringify(names);
    const known = this.#tallies.get(key);
    if (known !== undefined) return known.tally;
    const tally = { count: 0, errors: 0, durations: new QuantileSketch() };
    this.#tallies.set(key, { names, tally });
    return tally;
  }
}
