import type { Target } from './candidates.ts';
import type { DecisionInput } from './decision-model.ts';

/**
 * The cluster that takes the writes of a global database by now, where the shard map leads to another: RDS has moved them, for
 * somebody or for a failover that was not finished here. The address of a cluster in one region never follows to another.
 */
export function movedWriter({ global, shard }: Pick<DecisionInput, 'global' | 'shard'>): Target | undefined {
  const writer = global?.writer;
  if (writer === undefined) return undefined;
  return writer.host === shard.writer.host && writer.port === shard.writer.port ? undefined : writer;
}
