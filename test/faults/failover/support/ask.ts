import { apiClient } from '../../../e2e/support/api.ts';
import type { Scene } from './trial.ts';

/** Asks for a failover or a switchover by hand, and waits until it is done. */
export async function askForFailover({ deployment, shard, epoch }: Scene, more: object): Promise<void> {
  const body = { shard, kind: 'failover', reason: 'asked for by a scenario', ...more };
  const call = apiClient(deployment.local);
  const answer = await call('POST', '/api/disaster-recovery/failover', { body });
  if (answer.status !== 202) throw new Error(`${answer.status}: ${JSON.stringify(answer.body)}`);
  await deployment.recorded(
    shard,
    'failed over',
    ({ state, last }) => state === 'failed_over' && (last?.toEpoch ?? 0) > epoch,
  );
}
