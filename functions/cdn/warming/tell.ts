import type { AuditEntry } from '../../access/audit/entry.ts';
import type { EventDetail } from '../../events.ts';
import type { Announcer } from '../../shared/announcer.ts';
import { parseTraceparent } from '../../shared/traceparent.ts';
import { eventSource } from '../bus-events.ts';
import type { WarmingRecord } from './record.ts';
import type { WarmingStore } from './store.ts';

export interface WarmingTeller {
  readonly announcer: Pick<Announcer, 'announce'>;
  readonly record: (entry: AuditEntry) => Promise<void>;
  readonly store: Pick<WarmingStore, 'save'>;
}

/** Tells the bus and the audit trail how a warming has ended: at least once, and until it is known that they were told. */
export async function tellWarming(teller: WarmingTeller, warming: WarmingRecord): Promise<void> {
  if (warming.untold !== true) return;
  await announce(teller.announcer, warming);
  const { id, state, finishedAt = warming.createdAt, requestedBy, traceparent } = warming;
  const failed = state === 'failed';
  await teller.record({
    at: finishedAt,
    actor: requestedBy === undefined ? { name: 'mainstay' } : { keyId: requestedBy },
    action: `warming.${state}`,
    target: `/api/cdn/warming/${id}`,
    sourceIp: '',
    outcome: failed ? 'failed' : 'succeeded',
    status: failed ? 500 : 200,
    traceId: parseTraceparent(traceparent)?.traceId ?? '',
  });
  await teller.store.save({ ...warming, untold: false });
}

async function announce(announcer: Pick<Announcer, 'announce'>, warming: WarmingRecord): Promise<void> {
  const { id, trigger, domain, requests, failed, traceparent, createdAt, finishedAt = createdAt } = warming;
  const about: EventDetail<typeof eventSource, 'warming.canceled'> = {
    ...{ version: 1, at: finishedAt, traceparent, warmingId: id, trigger, domain, requests, failed },
  };
  switch (warming.state) {
    case 'completed': {
      const durationMs = Math.max(0, Date.parse(finishedAt) - Date.parse(createdAt));
      return announcer.announce(eventSource, 'warming.completed', { ...about, durationMs });
    }
    case 'failed': {
      const error = warming.error ?? { code: 'unknown', message: '' };
      return announcer.announce(eventSource, 'warming.failed', { ...about, error });
    }
    case 'canceled':
      return announcer.announce(eventSource, 'warming.canceled', about);
    case 'queued':
    case 'running':
      return;
  }
}
