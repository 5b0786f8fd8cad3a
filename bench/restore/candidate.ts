import type { Candidate, Measurement } from '../backup/candidate.ts';

/** What a candidate does to the empty tables. */
export type Scope =
  /** Loads the rows. */
  | 'rows'
  /** And what comes after them: indexes, constraints, ANALYZE. */
  | 'complete'
  /** And reads all of them again. */
  | 'compared';

export type RestoreKind = 'bare' | 'own' | 'psql' | 'pipeline' | 'restic' | 'pg_restore';

/** A way to get the rows back in. */
export interface RestoreCandidate extends Candidate<RestoreKind> {
  scope: Scope;
  /** What is known of the rows when it has ended; nothing: that the server took them. */
  proves?: string;
}

/** Phases one after the other as one: what one of them holds in memory, the next does not. */
export function inTurn(phases: readonly Measurement[]): Measurement {
  const peaks = phases.flatMap(({ peakRssBytes }) => peakRssBytes ?? []);
  return {
    seconds: phases.reduce((sum, { seconds }) => sum + seconds, 0),
    cpuSeconds: phases.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0),
    peakRssBytes: peaks.length === 0 ? undefined : Math.max(...peaks),
  };
}
