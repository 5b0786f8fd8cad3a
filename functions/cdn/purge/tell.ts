import type { AuditEntry } from '../../access/audit/entry.ts';
import type { EventDetail } from '../../events.ts';
import type { Announcer } from '../../shared/announcer.ts';
import { parseTraceparent } from '../../shared/traceparent.ts';
import { eventSource } from '../bus-events.ts';
import { verdict } from './prove.ts';
import type { PurgeRecord } from './record.ts';
import type { PurgeStore } from './store.ts';

export interface PurgeTeller {
  readonly announcer: Pick<Announcer, 'announce'>;
  readonly record: (entry: AuditEntry) => Promise<void>;
  readonly store: Pick<PurgeStore, 'save'>;
}

/** Tells the bus and the audit trail how a purge has ended: at least once, and until it is known that they were told. */
export async function tellPurge(teller: PurgeTeller, purge: PurgeRecord): Promise<void> {
  if (purge.untold !== true) return;
  await announce(teller.announcer, purge);
  const { id, state, finishedAt = purge.createdAt, requestedBy, traceparent } = purge;
  const failed = state === 'failed';
  await teller.record({
    at: finishedAt,
    actor: requestedBy === undefined ? { name: 'mainstay' } : { keyId: requestedBy },
    action: `purge.${state}`,
    target: `/api/cdn/purge/${id}`,
    sourceIp: '',
    outcome: failed ? 'failed' : 'succeeded',
    status: failed ? 500 : 200,
    traceId: parseTraceparent(traceparent)?.traceId ?? '',
  });
  await teller.store.save({ ...purge, untold: false });
}

async function announce(announcer: Pick<Announcer, 'announce'>, purge: PurgeRecord): Promise<void> {
  const { id, trigger, target, counts, traceparent, createdAt, finishedAt = createdAt, checks } = purge;
  const about: EventDetail<typeof eventSource, 'purge.canceled'> = {
    ...{
      version: 1,
      at: finishedAt,
      traceparent,
      purgeId: id,
      trigger,
      domain: target.domain,
      items: counts,
    },
  };
  switch (purge.state) {
    case 'completed': {
      const verified = checks === undefined ? 'none' : verdict(checks);
      return announcer.announce(eventSource, 'purge.completed', {
        ...about,
        durationMs: Math.max(0, Date.parse(finishedAt) - Date.parse(createdAt)),
        verification: verified === 'confirmed' || verified === 'none' ? verified : 'inconclusive',
      });
    }
    case 'failed': {
      const error = purge.error ?? { code: 'unknown', message: '' };
      return announcer.announce(eventSource, 'purge.failed', { ...about, error });
    }
    case 'canceled':
      return announcer.announce(eventSource, 'purge.canceled', about);
    case 'queued':
    case 'running':
      return;
  }
}
