import type { ChunkWork } from '../../functions/recovery/workflow.ts';
import { runTogether, sumOf } from '../measure/together.ts';
import type { DatabaseConnection } from './connection.ts';
import { type Job, laneResultSchema } from './job.ts';
import type { StoreFacts } from './store.ts';

/** Connections at once that everything is compared at. */
export const laneCounts = [1, 2] as const;

/** What one run of a candidate took. */
export interface Measurement {
  seconds: number;
  /** User and system time of the candidate's processes; the database's and the store's do not count. */
  cpuSeconds: number;
  /** Sum of the peaks of the candidate's processes; undefined where the system does not tell. */
  peakRssBytes: number | undefined;
  /** COPY text, where the candidate counts it. */
  textBytes?: number;
  /** Where the candidate stores or encrypts something. */
  storedBytes?: number;
}

/**
 * What a candidate is, for comparisons: the bare COPY, Mainstay's pipeline (into nothing, into a store, and read back),
 * and the peers.
 */
export type CandidateKind = Job['mode'] | 'psql' | 'pipeline' | 'restic' | 'pg_dump';

/** A way to get the rows out, or in. */
export interface Candidate<Kind extends string = CandidateKind> {
  name: string;
  /** Connections that work at the same time. */
  lanes: number;
  connection: DatabaseConnection['kind'];
  kind: Kind;
  /** Does not count. */
  prepare?(): Promise<void>;
  run(): Promise<Measurement>;
  /** Removes what a run has left; does not count. */
  clear?(): Promise<void>;
}

/** What all candidates of one data set work on. */
export interface Workload {
  items: readonly ChunkWork[];
  store: StoreFacts;
  /** The bundled script that our own lanes run. */
  laneScript: string;
}

/** Gives each of the lanes its share of the items, in turn. */
export const divide = <T>(items: readonly T[], lanes: number): T[][] =>
  Array.from({ length: lanes }, (_, lane) => items.filter((_item, index) => index % lanes === lane));

/** Runs one of our own jobs in as many processes as there are lanes, all let go at once. */
export async function runLanes(
  mode: Job['mode'],
  connection: DatabaseConnection,
  lanes: number,
  { items, store, laneScript }: Workload,
): Promise<Measurement> {
  const jobs = divide(items, lanes).map((share) => ({ mode, connection, items: share, store }) satisfies Job);
  const { seconds, results } = await runTogether(laneScript, jobs, laneResultSchema);
  return {
    seconds,
    cpuSeconds: sumOf(results, ({ cpuSeconds }) => cpuSeconds),
    peakRssBytes: sumOf(results, ({ peakRssBytes }) => peakRssBytes),
    ...(mode !== 'copy' && {
      textBytes: sumOf(results, ({ textBytes }) => textBytes),
      storedBytes: sumOf(results, ({ storedBytes }) => storedBytes),
    }),
  };
}
