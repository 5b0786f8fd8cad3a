import type { Shard } from '../../shared/shards.ts';
import type { Examination, InstanceFinding } from '../examination.ts';
import type { DatabaseInstance } from '../model.ts';
import type { Answer, Ask } from '../probing/ask.ts';
import type { InstanceFound } from '../probing/ask-instance.ts';
import { lookAtShard } from '../probing/look-at-shard.ts';

/** Looks at a shard as the probe does, but on its own: what is decided does not rest on one observer. */
export async function examine(
  shard: Pick<Shard, 'name' | 'epoch' | 'writer' | 'database'>,
  instances: readonly DatabaseInstance[],
  deps: { readonly ask: Ask; readonly timeoutMs: number; readonly now: () => number },
): Promise<Examination> {
  const { writer, instances: found } = await lookAtShard(shard, instances, deps);
  return {
    at: new Date(deps.now()).toISOString(),
    writer: {
      answers: writer.value !== undefined,
      heard: writer.heard,
      latencyMs: Math.round(writer.durationMs),
      ...(writer.value?.lsn !== undefined && { lsn: writer.value.lsn }),
      ...(writer.reason !== undefined && { reason: writer.reason }),
    },
    instances: found.map(({ instance, answer }) => findingOf(instance.id, answer)),
  };
}

function findingOf(instance: string, { value, heard, reason }: Answer<InstanceFound>): InstanceFinding {
  if (value === undefined) {
    return {
      instance,
      reachable: false,
      heard,
      sharedStorage: false,
      ...(reason !== undefined && { reason }),
    };
  }
  const { identity, progress } = value;
  return {
    ...{ instance, reachable: true, heard },
    role: identity.replica ? 'standby' : 'primary',
    readOnly: identity.readOnly,
    sharedStorage: identity.aurora,
    ...(progress !== undefined && {
      streaming: progress.streaming,
      ...(progress.receivedLsn !== undefined && { receivedLsn: progress.receivedLsn }),
      ...(progress.replayedLsn !== undefined && { replayedLsn: progress.replayedLsn }),
    }),
  };
}
