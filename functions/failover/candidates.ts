import type { Examination } from './examination.ts';
import { type Address, bytesBetween, type ProbeRecord, type ShardInstances } from './model.ts';
import { type FailoverAction, type ShardPolicy, staleAfterMs } from './policy.ts';

/** What may become the writer: an instance or, of a global database, a cluster by its ARN. */
export interface Target extends Address {
  readonly instance: string;
}

export interface TargetRefusal {
  readonly code: 'no-candidate' | 'unknown-target' | 'unfit-target' | 'lag-unknown' | 'lag-too-high';
  readonly reason: string;
  readonly lagBytes?: number | undefined;
}

export interface CandidateInput {
  readonly examination: Examination;
  readonly instances: ShardInstances | undefined;
  readonly probe: ProbeRecord | undefined;
  readonly writerInstance: string | undefined;
  readonly policy: Pick<ShardPolicy, 'maxLagBytes' | 'maxLagSeconds' | 'probeIntervalSeconds'>;
  readonly action: Exclude<FailoverAction, 'observe'>;
  readonly globalTargets: readonly Target[];
  readonly wanted: string | undefined;
  readonly acceptedLoss: number | 'any' | undefined;
  /** A switchover: what is missing is waited for. */
  readonly planned: boolean;
  readonly automatic: boolean;
}

interface Candidate {
  readonly target: Target;
  readonly lagBytes: number | null;
}

/** Chooses what lags least of those that are reachable and follow; by id where that is even. */
export function chooseCandidate(input: CandidateInput): Candidate | TargetRefusal {
  const { wanted, writerInstance, planned } = input;
  const candidates = input.action === 'global' ? ofGlobal(input) : ofInstances(input);
  if (wanted !== undefined) {
    const known =
      input.action === 'global'
        ? input.globalTargets.map(({ instance }) => instance)
        : (input.instances?.instances.map(({ id }) => id) ?? []);
    if (!known.includes(wanted)) {
      return {
        code: 'unknown-target',
        reason: `There is no ${wanted}; there are ${known.join(', ') || 'none'}.`,
      };
    }
    if (wanted === writerInstance) {
      return { code: 'unfit-target', reason: `${wanted} is the writer.` };
    }
  }
  const fit = candidates.filter(({ target }) => wanted === undefined || target.instance === wanted);
  const [best] = fit.sort(byLag);
  if (best === undefined) {
    return wanted === undefined
      ? { code: 'no-candidate', reason: 'No replica is reachable and follows the writer.' }
      : { code: 'unfit-target', reason: `${wanted} is not reachable, or does not follow the writer.` };
  }
  return refuseLag(input, best) ?? (planned ? { ...best, lagBytes: 0 } : best);
}

function refuseLag(input: CandidateInput, { target, lagBytes }: Candidate): TargetRefusal | undefined {
  const { acceptedLoss, policy, planned, automatic, probe } = input;
  if (acceptedLoss === 'any' && !planned) return undefined;
  const { instance } = target;
  if (lagBytes === null) {
    // A switchover of a global database waits by itself until nothing is missing.
    if (planned && input.action === 'global') return undefined;
    return { code: 'lag-unknown', reason: `Nobody knows how far ${instance} is behind the writer.` };
  }
  const limit = typeof acceptedLoss === 'number' && !planned ? acceptedLoss : policy.maxLagBytes;
  if (lagBytes > limit) {
    return {
      code: 'lag-too-high',
      reason: `${instance} has received ${lagBytes} bytes of log less than the writer had written; at most ${limit} may be missing.`,
      lagBytes,
    };
  }
  const behind = probe?.readers.find((reader) => reader.instance === instance)?.lagSeconds;
  if (
    automatic &&
    policy.maxLagSeconds !== undefined &&
    behind !== undefined &&
    behind > policy.maxLagSeconds
  ) {
    return {
      code: 'lag-too-high',
      reason: `${instance} was ${behind} s behind the writer; at most ${policy.maxLagSeconds} s are allowed.`,
      lagBytes,
    };
  }
  return undefined;
}

function ofInstances({
  examination,
  instances,
  probe,
  writerInstance,
  planned,
  policy,
}: CandidateInput): Candidate[] {
  const lastKnown = newest([probe?.writerLsn, examination.writer.lsn]);
  return examination.instances.flatMap((finding) => {
    const address = instances?.instances.find(({ id }) => id === finding.instance);
    if (address === undefined || finding.instance === writerInstance) return [];
    if (!finding.reachable || finding.role !== 'standby') return [];
    if (planned && finding.streaming !== true && !finding.sharedStorage) return [];
    if (stoppedStreaming(finding.instance, probe, policy)) return [];
    const received = newest([finding.receivedLsn, finding.replayedLsn]);
    const known = lastKnown !== undefined && received !== undefined;
    const missing = known ? Number(bytesBetween(received, lastKnown)) : null;
    const lagBytes = finding.sharedStorage ? 0 : missing === null ? null : Math.max(0, missing);
    return [{ target: { instance: finding.instance, host: address.host, port: address.port }, lagBytes }];
  });
}

/** Whether it had left the writer before the writer failed: what it lacks since then nobody has counted. */
function stoppedStreaming(
  instance: string,
  probe: ProbeRecord | undefined,
  policy: Pick<ShardPolicy, 'probeIntervalSeconds'>,
): boolean {
  const streamedAt = probe?.readers.find((reader) => reader.instance === instance)?.streamedAt;
  if (probe === undefined || streamedAt === undefined) return false;
  return Date.parse(streamedAt) < Date.parse(probe.firstFailureAt ?? probe.at) - staleAfterMs(policy);
}

/** How much a cluster in another region has not received is not known here. */
const ofGlobal = ({ globalTargets }: CandidateInput): Candidate[] =>
  globalTargets.map((target) => ({ target, lagBytes: null }));

const newest = (positions: readonly (string | undefined)[]): string | undefined =>
  positions
    .filter((position) => position !== undefined)
    .reduce<string | undefined>(
      (best, position) => (best === undefined || bytesBetween(best, position) > 0n ? position : best),
      undefined,
    );

const byLag = (a: Candidate, b: Candidate): number =>
  (a.lagBytes ?? Number.POSITIVE_INFINITY) - (b.lagBytes ?? Number.POSITIVE_INFINITY) ||
  (a.target.instance < b.target.instance ? -1 : 1);
