import type { AuditEntry } from '../access/audit/entry.ts';
import type { EventDetail } from '../events.ts';
import type { Announcer } from '../shared/announcer.ts';
import { parseTraceparent } from '../shared/traceparent.ts';
import { eventSource } from './bus-events.ts';
import type { FailoverRecord, Notice } from './record.ts';
import type { FailoverStore } from './store.ts';

export interface TellerDependencies {
  readonly store: Pick<FailoverStore, 'save'>;
  readonly announcer: Pick<Announcer, 'announce'>;
  readonly record: (entry: AuditEntry) => Promise<void>;
  readonly log: { warn(message: string, about: Record<string, unknown>): void };
}

/**
 * Tells the bus and the audit trail what they have not been told of a shard, and notes that they have. Cut short, it is told again
 * by whoever looks at the shard next: everything is told at least once.
 */
export async function tellUntold(deps: TellerDependencies, record: FailoverRecord): Promise<FailoverRecord> {
  if (record.untold.length === 0) return record;
  try {
    for (const notice of record.untold) {
      await announce(deps.announcer, record.shard, notice);
      await deps.record(entryOf(record.shard, notice));
    }
    return (await deps.store.save({ ...record, untold: [] })) ?? record;
  } catch (error) {
    deps.log.warn('What happened to a shard could not be told yet', { shard: record.shard, error });
    return record;
  }
}

async function announce(
  announcer: Pick<Announcer, 'announce'>,
  shard: string,
  { event, at, reason, traceparent, by, about, rtoMs, rpoBytes }: Notice,
): Promise<void> {
  const common = { version: 1 as const, shard, at, traceparent, reason };
  const asked = by === undefined ? {} : { by };
  switch (event) {
    case 'suspected':
    case 'recovered':
    case 'held':
      return announcer.announce(eventSource, `failover.${event}`, common);
    case 'paused':
    case 'resumed':
      return announcer.announce(eventSource, `failover.${event}`, { ...common, by: by ?? 'mainstay' });
    case 'started':
      if (about === undefined) return;
      return announcer.announce(eventSource, 'failover.started', { ...common, ...about, ...asked });
    case 'completed': {
      if (about === undefined) return;
      const detail: EventDetail<typeof eventSource, 'failover.completed'> = {
        ...{ ...common, ...about, ...asked },
        rtoMs: rtoMs ?? null,
        rpoBytes: rpoBytes ?? null,
      };
      return announcer.announce(eventSource, 'failover.completed', detail);
    }
    default:
      return event satisfies never;
  }
}

function entryOf(shard: string, { event, at, traceparent, by }: Notice): AuditEntry {
  const failed = event === 'held';
  return {
    at,
    actor: by === undefined ? { name: 'mainstay' } : { keyId: by },
    action: `failover.${event}`,
    target: `/shards/${shard}`,
    sourceIp: '',
    outcome: failed ? 'failed' : 'succeeded',
    status: failed ? 500 : 200,
    traceId: parseTraceparent(traceparent)?.traceId ?? '',
  };
}
