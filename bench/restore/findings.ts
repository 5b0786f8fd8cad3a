import type { Measurement } from '../backup/candidate.ts';
import type { Result } from '../backup/rounds.ts';
import { aim, betterIn, connectionsOf, ratio } from '../report/comparison.ts';
import type { RestoreCandidate, RestoreKind, Scope } from './candidate.ts';

/** What a restore is to reach. */
const aims = { ofPgRestore: 1 };

type RestoreResult = Result<RestoreCandidate>;

/** Says what of the bare COPY's speed is left, whether the aim was met, what the comparison costs, and where peers were better. */
export function findingsOf(results: readonly RestoreResult[]): string[] {
  const find = (kind: RestoreKind, lanes: number, scope: Scope) =>
    results.find(
      ({ candidate }) => candidate.kind === kind && candidate.lanes === lanes && candidate.scope === scope,
    )?.median;
  const findings: string[] = [];
  for (const { candidate, median: ours } of results.filter(({ candidate }) => candidate.kind === 'own')) {
    const { lanes, scope } = candidate;
    const where = connectionsOf(lanes);
    if (scope === 'compared') {
      const without = find('own', lanes, 'complete');
      if (without === undefined) continue;
      const share = (ours.seconds - without.seconds) / without.seconds;
      findings.push(`The comparison adds ${Math.round(share * 100)} % to the time of a restore, ${where}.`);
      continue;
    }
    const bare = find('bare', lanes, scope);
    if (bare !== undefined) {
      const what = scope === 'rows' ? 'rows only' : 'indexes on both sides';
      findings.push(`${ratio(bare.seconds / ours.seconds)}× the speed of bare COPY, ${what}, ${where}.`);
    }
    const peer = find('pg_restore', lanes, scope);
    if (peer === undefined) continue;
    findings.push(
      aim(`speed of pg_restore -j2, ${where}`, peer.seconds / ours.seconds, aims.ofPgRestore, 'least'),
    );
  }
  return [...findings, ...lossesOf(results, find)];
}

function lossesOf(
  results: readonly RestoreResult[],
  find: (kind: RestoreKind, lanes: number, scope: Scope) => Measurement | undefined,
): string[] {
  return results.flatMap(({ candidate, median: peer }) => {
    const { kind, lanes, scope, name } = candidate;
    if (kind === 'own' || kind === 'bare' || kind === 'psql') return [];
    const ours = find('own', lanes, scope);
    const better = ours === undefined ? [] : betterIn(peer, ours);
    return better.length === 0
      ? []
      : [`We lose to ${name} at ${connectionsOf(lanes)}: ${better.join(', ')}.`];
  });
}
