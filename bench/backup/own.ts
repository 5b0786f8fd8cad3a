import { type Candidate, laneCounts, runLanes, type Workload } from './candidate.ts';
import type { BenchDatabase } from './database.ts';
import type { Job } from './job.ts';
import type { BenchStore } from './store.ts';

/** What is measured of Mainstay, and the bare COPY that it is compared with. */
const names: Readonly<Record<Job['mode'], string>> = {
  copy: 'bare COPY, read and dropped',
  null: 'Mainstay into nothing',
  store: 'Mainstay into local S3',
  verify: 'Mainstay into local S3, read back',
};
const overSocket = ['copy', 'null', 'store', 'verify'] as const;
const overTls = ['copy', 'store'] as const;

/**
 * Our own candidates on one data set, at each number of lanes.
 *
 * @param withTls also by TLS through the database's endpoint, as functions connect.
 */
export function ownCandidates(
  database: BenchDatabase,
  store: BenchStore,
  workload: Workload,
  withTls: boolean,
): Candidate[] {
  const candidate = (kind: Job['mode'], lanes: number, connection: 'socket' | 'tls'): Candidate => ({
    kind,
    name: `${names[kind]}${connection === 'tls' ? ', over TLS' : ''}`,
    lanes,
    connection,
    run: () => runLanes(kind, database[connection], lanes, workload),
    clear: () => store.clear(),
  });
  return [
    ...laneCounts.flatMap((lanes) => overSocket.map((kind) => candidate(kind, lanes, 'socket'))),
    ...(withTls ? overTls.map((kind) => candidate(kind, 1, 'tls')) : []),
  ];
}
