import { z } from 'zod';
import type { ChunkWork } from '../../functions/recovery/workflow.ts';
import { Child } from '../measure/child.ts';
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

/** A way to get the rows out. */
export interface Candidate {
  name: string;
  /** Connections that read at the same time. */
  lanes: number;
  connection: DatabaseConnection['kind'];
  kind: CandidateKind;
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
export const divide = (items: readonly ChunkWork[], lanes: number): ChunkWork[][] =>
  Array.from({ length: lanes }, (_, lane) => items.filter((_item, index) => index % lanes === lane));

/** Runs one of our own jobs in as many processes as there are lanes, all let go at once. */
export async function runLanes(
  mode: Job['mode'],
  connection: DatabaseConnection,
  lanes: number,
  { items, store, laneScript }: Workload,
): Promise<Measurement> {
  const children = divide(items, lanes).map((share) => {
    const child = new Child(laneScript);
    child.send({ mode, connection, items: share, store } satisfies Job);
    return child;
  });
  try {
    await Promise.all(children.map((child) => child.receive(z.object({ ready: z.literal(true) }))));
    const started = performance.now();
    for (const child of children) child.send({ begin: true });
    const results = await Promise.all(children.map((child) => child.receive(laneResultSchema)));
    const seconds = (performance.now() - started) / 1000;
    const sum = (of: (result: (typeof results)[number]) => number) =>
      results.reduce((total, result) => total + of(result), 0);
    await Promise.all(children.map((child) => child.finish()));
    return {
      seconds,
      cpuSeconds: sum(({ cpuSeconds }) => cpuSeconds),
      peakRssBytes: sum(({ peakRssBytes }) => peakRssBytes),
      ...(mode !== 'copy' && {
        textBytes: sum(({ textBytes }) => textBytes),
        storedBytes: sum(({ storedBytes }) => storedBytes),
      }),
    };
  } catch (error) {
    await Promise.all(children.map((child) => child.kill()));
    throw error;
  }
}
