import type { Warming } from './model.ts';
import type { WarmingRecord } from './record.ts';

/** A warming as the API shows it. */
export function showWarming(record: WarmingRecord): Warming {
  const { id, state, trigger, priority, domain, concurrency, createdAt } = record;
  const { requests, done, cold, warm, failed, bytes } = record;
  return {
    ...{ id, state, trigger, priority, domain, concurrency, createdAt },
    locations: record.locations.map(({ name }) => name),
    progress: { requests, done, cold, warm, failed, bytes },
    startedAt: record.startedAt ?? null,
    finishedAt: record.finishedAt ?? null,
    requestedBy: record.requestedBy ?? null,
    scheduleId: record.scheduleId ?? null,
    error: record.error ?? null,
  };
}
