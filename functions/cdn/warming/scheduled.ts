import type { WarmingId } from '../ids.ts';
import type { QueryStrings } from '../providers/normalise.ts';
import type { EdgeProvider } from '../providers/provider.ts';
import { isNamed } from '../providers/sites.ts';
import type { PopularPaths } from './popular-paths.ts';
import { newWarming, type Place } from './request.ts';
import type { ScheduleId } from './schedules/model.ts';
import type { ScheduleStore } from './schedules/schedule-store.ts';
import type { WarmingStore } from './store.ts';

export interface ScheduledDependencies {
  readonly store: Pick<WarmingStore, 'get' | 'create'>;
  readonly schedules: Pick<ScheduleStore, 'get'>;
  readonly provider: EdgeProvider;
  readonly queryStrings: QueryStrings;
  readonly locations: Place['locations'];
  readonly popularPaths: PopularPaths;
  readonly now: () => number;
}

/**
 * Makes the warming that a schedule has started, where there is none yet.
 *
 * @returns whether there is one; not when its schedule was removed meanwhile, or when it finds nothing to warm.
 * @throws DependencyError, and what providers throw
 */
export async function makeScheduled(
  deps: ScheduledDependencies,
  id: WarmingId,
  scheduleId: ScheduleId,
  traceparent: string,
): Promise<boolean> {
  if ((await deps.store.get(id)) !== undefined) return true;
  const schedule = await deps.schedules.get(scheduleId);
  if (schedule === undefined) return false;
  const { website, tenant, popular, paths = [] } = schedule;
  const wanted = popular === undefined ? paths : await deps.popularPaths(popular, tenant);
  if (wanted.length === 0) return false;
  const { domain } = await deps.provider.target({ website, tenant });
  const place = { domain, locations: isNamed(schedule) ? [] : deps.locations };
  const about = { id, trigger: 'schedule' as const, scheduleId, traceparent, now: deps.now() };
  const made = newWarming(wanted, schedule, place, deps.queryStrings, about);
  await deps.store.create(made.record, made.wanted);
  return true;
}
