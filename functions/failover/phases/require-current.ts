import { SupersededError } from '../errors.ts';
import type { Operation } from '../record.ts';
import type { FailoverStore } from '../store.ts';

/**
 * Nothing is changed for an operation that the shard's record does not name as the present one: an execution may be started late,
 * or again, when another has been decided.
 *
 * @throws SupersededError
 */
export async function requireCurrent(
  store: Pick<FailoverStore, 'record' | 'shard'>,
  shard: string,
  { name, fromEpoch, toEpoch, target }: Operation,
): Promise<void> {
  const [record, routed] = await Promise.all([store.record(shard), store.shard(shard)]);
  if (record?.state !== 'failing_over' || record.operation?.name !== name) {
    throw new SupersededError(`${name} is not what is being done with ${shard} any more.`);
  }
  const moved = routed?.promotion?.epoch === toEpoch && routed.promotion.instance === target.instance;
  if (routed?.epoch === fromEpoch || moved) return;
  throw new SupersededError(`${shard} has left epoch ${fromEpoch} in another way.`);
}
