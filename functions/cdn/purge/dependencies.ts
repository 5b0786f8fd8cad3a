import type { WarmingId } from '../ids.ts';
import type { EdgeProvider } from '../providers/provider.ts';
import type { Capacity } from '../queue/queue.ts';
import type { QueueStore } from '../queue/queue-store.ts';
import type { AskEdge } from './prove.ts';
import type { PurgeRecord } from './record.ts';
import type { PurgeStore } from './store.ts';

export interface PurgeDependencies {
  readonly store: PurgeStore;
  readonly provider: EdgeProvider;
  /** The queue before a target's quota. */
  readonly queueOf: (targetId: string, capacity: Capacity) => Pick<QueueStore, 'ask' | 'leave'>;
  readonly ask: AskEdge;
  /** Starts the warming that follows a purge; started again, it is the same. */
  readonly startWarming: (record: PurgeRecord, paths: readonly string[]) => Promise<WarmingId>;
  readonly warmingState: (id: WarmingId) => Promise<string | undefined>;
  readonly now: () => number;
  /** Whether there is time for another step. */
  readonly hasTime: () => boolean;
}

/** A step's outcome: the record as it is now, and how long to wait before the next. */
export interface Stepped {
  readonly record: PurgeRecord;
  readonly waitSeconds?: number;
}
