import { bytesBetween, keptChanges, type ProbeRecord, type ReaderObservation } from '../model.ts';
import type { InstanceFound } from './ask-instance.ts';
import type { Findings } from './look-at-shard.ts';

/** What is made of a look. */
export interface Judgement {
  shard: string;
  /** The epoch that the shard is in. */
  epoch: number;
  /** When the shard was looked at. */
  at: Date;
  findings: Findings;
  /** Nothing at all answered anywhere. */
  cutOff: boolean;
  /** What was known before. */
  previous: ProbeRecord | undefined;
}

/** What is remembered of a shard after a look at it. */
export function judge({ shard, epoch, at, findings, cutOff, previous }: Judgement): ProbeRecord {
  const { value: beat, durationMs } = findings.writer;
  const reason = beat?.unproven ?? findings.writer.reason ?? 'no answer';
  const ok = beat !== undefined && beat.unproven === undefined;
  const writerLsn = beat?.lsn ?? previous?.writerLsn;
  const failures = previous?.consecutiveFailures ?? 0;
  // A probe that is cut off leaves the count as it is, so that the count says how it was before.
  const changed = !cutOff && previous !== undefined && failures > 0 === ok;
  const changes = [...(previous?.changes ?? []), ...(changed ? [at.toISOString()] : [])].slice(-keptChanges);
  const time = at.toISOString();
  const firstFailureAt = ok ? undefined : (previous?.firstFailureAt ?? (cutOff ? undefined : time));
  // In another epoch another instance was the writer.
  const before = previous?.epoch === epoch ? previous.writerInstance : undefined;
  const writers = writersOf(findings, before);
  return {
    shard,
    at: time,
    epoch,
    ok,
    ...(!ok && {
      reason: cutOff ? `nothing answers the probe, here or elsewhere; ${reason}`.slice(0, 300) : reason,
    }),
    ...(ok && { latencyMs: Math.round(durationMs * 10) / 10 }),
    consecutiveFailures: ok ? 0 : cutOff ? failures : failures + 1,
    ...(firstFailureAt !== undefined && { firstFailureAt }),
    ...writers,
    ...(writerLsn !== undefined && { writerLsn }),
    readers: readersOf(findings, { writerLsn, writerInstance: writers.writerInstance, previous, time }),
    cutOff,
    changes,
  };
}

/** Who among the instances writes, and who would. */
function writersOf(
  { writer, instances }: Findings,
  before: string | undefined,
): Pick<ProbeRecord, 'writerInstance' | 'otherWriters' | 'fenced'> {
  const primaries = instances.flatMap(({ instance, answer: { value } }) =>
    value === undefined || value.identity.replica ? [] : [{ id: instance.id, ...value.identity }],
  );
  const started = writer.value?.identity.started;
  const open = primaries.filter(({ readOnly }) => !readOnly);
  const own =
    started === undefined
      ? (open.find(({ id }) => id === before) ?? open[0])
      : primaries.find((primary) => primary.started === started);
  // Where an instance has no endpoint of its own that answers, it is the one that it was.
  const writerInstance = own?.id ?? before;
  return {
    ...(writerInstance !== undefined && { writerInstance }),
    otherWriters: open.filter((primary) => primary !== own).map(({ id }) => id),
    fenced: primaries.filter((primary) => primary !== own && primary.readOnly).map(({ id }) => id),
  };
}

function readersOf(
  { instances, writer }: Findings,
  known: {
    writerLsn: string | undefined;
    writerInstance: string | undefined;
    previous: ProbeRecord | undefined;
    time: string;
  },
): ReaderObservation[] {
  const { writerLsn, previous, time } = known;
  return instances.flatMap(({ instance: { id, role }, answer: { value } }): ReaderObservation[] => {
    const before = previous?.readers.find(({ instance }) => instance === id);
    if (value === undefined) {
      // The writer is no reader, and nobody has said yet which one it is where nothing has answered so far.
      if (known.writerInstance === undefined ? role === 'writer' : id === known.writerInstance) return [];
      return [{ instance: id, reachable: false, streaming: false, ...streamedAt(before?.streamedAt) }];
    }
    const { progress } = value;
    if (progress === undefined) return [];
    return [
      {
        instance: id,
        reachable: true,
        streaming: progress.streaming,
        ...(progress.receivedLsn !== undefined && { receivedLsn: progress.receivedLsn }),
        ...(progress.replayedLsn !== undefined && { replayedLsn: progress.replayedLsn }),
        ...lagOf(value, writerLsn, writer.value !== undefined),
        ...streamedAt(progress.streaming ? time : before?.streamedAt),
      },
    ];
  });
}

const streamedAt = (at: string | undefined) => (at === undefined ? {} : { streamedAt: at });

/** How far a reader is behind what the writer is known to have written. */
function lagOf(
  { identity, progress }: InstanceFound,
  writerLsn: string | undefined,
  writerAnswered: boolean,
): Pick<ReaderObservation, 'lagBytes' | 'lagSeconds'> {
  if (progress === undefined) return {};
  if (identity.aurora) {
    // It reads the writer's own storage: what is committed is there.
    const { engineLagSeconds } = progress;
    return { lagBytes: 0, ...(engineLagSeconds !== undefined && { lagSeconds: engineLagSeconds }) };
  }
  const { receivedLsn, replayedLsn, caughtUpSeconds, sinceReplay } = progress;
  const missing = (position: string) => Number(bytesBetween(position, writerLsn ?? position));
  const lagBytes =
    writerLsn === undefined || receivedLsn === undefined ? undefined : Math.max(0, missing(receivedLsn));
  const complete =
    !writerAnswered && replayedLsn !== undefined && writerLsn !== undefined && missing(replayedLsn) <= 0;
  const lagSeconds = caughtUpSeconds ?? (complete ? 0 : sinceReplay);
  return {
    ...(lagBytes !== undefined && { lagBytes }),
    ...(lagSeconds !== undefined && { lagSeconds: Math.round(lagSeconds * 1000) / 1000 }),
  };
}
