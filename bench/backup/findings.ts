import { aim, betterIn, connectionsOf } from '../report/comparison.ts';
import type { CandidateKind, Measurement } from './candidate.ts';
import type { Result } from './rounds.ts';

/** What the pipeline is to reach. */
const aims = { ofBareCopy: 0.75, ofRestic: 2, ofZstdBytes: 1.05 };

/** What a peer does with its bytes decides with which of our candidates it is compared. */
const counterparts = { pipeline: 'null', restic: 'store', pg_dump: 'store' } as const;

/** Says where the aims were met or missed, and in what each peer was better than us at the same number of connections. */
export function findingsOf(results: readonly Result[]): string[] {
  const find = (kind: CandidateKind, lanes: number, connection = 'socket') =>
    results.find(
      ({ candidate }) =>
        candidate.kind === kind && candidate.lanes === lanes && candidate.connection === connection,
    )?.median;
  const findings: string[] = [];
  for (const { candidate, median: ours } of results.filter(({ candidate }) => candidate.kind === 'store')) {
    const { lanes, connection } = candidate;
    const bare = find('copy', lanes, connection);
    const where = `${connectionsOf(lanes)}${connection === 'tls' ? ' over TLS' : ''}`;
    if (bare !== undefined) {
      findings.push(
        aim(`speed of bare COPY, ${where}`, bare.seconds / ours.seconds, aims.ofBareCopy, 'least'),
      );
    }
    if (connection === 'tls') continue;
    const restic = find('restic', lanes);
    if (restic !== undefined) {
      findings.push(aim(`speed of restic, ${where}`, restic.seconds / ours.seconds, aims.ofRestic, 'least'));
    }
    const zstd = find('pipeline', lanes);
    if (zstd?.storedBytes !== undefined && ours.storedBytes !== undefined) {
      const share = ours.storedBytes / zstd.storedBytes;
      findings.push(aim(`bytes of zstd -3, ${where}`, share, aims.ofZstdBytes, 'most'));
    }
  }
  return [...findings, ...lossesOf(results, find)];
}

function lossesOf(
  results: readonly Result[],
  find: (kind: CandidateKind, lanes: number) => Measurement | undefined,
): string[] {
  return results.flatMap(({ candidate, median: peer }) => {
    if (!isCounterpart(candidate.kind)) return [];
    const ours = find(counterparts[candidate.kind], candidate.lanes);
    if (ours === undefined) return [];
    const better = betterIn(peer, ours);
    if (better.length === 0) return [];
    return [`We lose to ${candidate.name} at ${connectionsOf(candidate.lanes)}: ${better.join(', ')}.`];
  });
}

function isCounterpart(kind: CandidateKind): kind is keyof typeof counterparts {
  return kind in counterparts;
}
