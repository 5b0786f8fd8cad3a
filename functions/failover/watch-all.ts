import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { DependencyError } from '../shared/dependency.ts';
import type { InvocationContext } from '../shared/http-handler.ts';
import { countConcluded } from './failover-metrics.ts';
import { type TellerDependencies, tellUntold } from './teller.ts';
import { type WatchdogDependencies, watch } from './watchdog.ts';

/** Shards that are looked after at the same time. */
const atOnce = 8;

/**
 * Looks after all shards; one that cannot be looked after keeps no other waiting. Counts those that are held.
 *
 * @throws DependencyError when there was such a one.
 */
export async function watchAll(
  deps: WatchdogDependencies,
  telling: TellerDependencies,
  { log, metrics }: Pick<InvocationContext, 'log' | 'metrics'>,
  shards: readonly string[],
  traceparent: string,
): Promise<void> {
  const left = [...shards];
  const failures: unknown[] = [];
  let held = 0;
  const work = async () => {
    for (let shard = left.shift(); shard !== undefined; shard = left.shift()) {
      try {
        const watched = await watch(deps, shard, traceparent);
        if (watched === undefined) continue;
        if (watched.concluded !== undefined) countConcluded(metrics, watched.concluded);
        if (watched.record.state === 'held') held += 1;
        await tellUntold(telling, watched.record);
      } catch (error) {
        failures.push(error);
        log.error('A shard could not be looked after', { shard, error });
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  metrics.addMetric('FailoversHeld', MetricUnit.Count, held);
  if (failures.length === 0) return;
  throw new DependencyError(`${failures.length} shard(s) could not be looked after`, { cause: failures[0] });
}
