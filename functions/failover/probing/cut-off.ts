import type { Findings } from './look-at-shard.ts';

/** Whether anything was heard of a shard: an answer to a login, or a refusal. */
export function wasHeard({ writer, instances }: Findings): boolean {
  return writer.heard || instances.some(({ answer }) => answer.heard);
}

/**
 * Whether it is the probe that is cut off, and not the databases that are down: nothing at all was heard of any instance of any
 * shard. A refused connection is heard: a host answers, and its server is down. That everything falls silent at once is less
 * likely than that the way there has, wherever there is more than one instance to compare. A single instance has nothing to be
 * compared with but DynamoDB: where that answers, the network of the function works, and it is the instance that is silent.
 *
 * @param shards of all shards that were looked at.
 * @param dynamoAnswered whether DynamoDB answered in the same round.
 */
export function isCutOff(shards: readonly Findings[], dynamoAnswered: boolean): boolean {
  if (shards.length === 0 || shards.some(wasHeard)) return false;
  const instances = shards.reduce((sum, { instances }) => sum + Math.max(1, instances.length), 0);
  return instances > 1 || !dynamoAnswered;
}
