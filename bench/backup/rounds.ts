import { median } from '../measure/statistics.ts';
import type { Candidate, Measurement } from './candidate.ts';

/** A candidate and the middle of its measurements. */
export interface Result<C extends Candidate<string> = Candidate> {
  candidate: C;
  median: Measurement;
}

/**
 * Measures all candidates in rounds, one after the other in each, so that what changes on the machine meets all alike.
 *
 * @throws when a candidate has read other than the others.
 */
export async function measureInRounds<C extends Candidate<string>>(
  candidates: readonly C[],
  rounds: number,
  progress: (text: string) => void,
): Promise<Result<C>[]> {
  const taken = candidates.map((): Measurement[] => []);
  for (let round = 1; round <= rounds; round++) {
    for (const [index, candidate] of candidates.entries()) {
      progress(`round ${round} of ${rounds}: ${candidate.name} × ${candidate.lanes}`);
      await candidate.prepare?.();
      taken[index]?.push(await candidate.run());
      await candidate.clear?.();
    }
  }
  return candidates.map((candidate, index) => ({ candidate, median: medianOf(taken[index] ?? []) }));
}

function medianOf(all: readonly Measurement[]): Measurement {
  const of = (get: (one: Measurement) => number | undefined) => {
    const values = all.map(get).filter((value) => value !== undefined);
    return values.length === 0 ? undefined : median(values);
  };
  const textBytes = of((one) => one.textBytes);
  const storedBytes = of((one) => one.storedBytes);
  return {
    seconds: median(all.map((one) => one.seconds)),
    cpuSeconds: median(all.map((one) => one.cpuSeconds)),
    peakRssBytes: of((one) => one.peakRssBytes),
    ...(textBytes !== undefined && { textBytes }),
    ...(storedBytes !== undefined && { storedBytes }),
  };
}
