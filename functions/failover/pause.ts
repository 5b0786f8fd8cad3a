import type { FailoverRecord } from './record.ts';
import { forgetAttempts, iso, type Moment, tell } from './transition.ts';

/** Holds automatic failover; what is going on goes on. */
export function pause(record: FailoverRecord, by: string, reason: string, moment: Moment): FailoverRecord {
  if (record.paused !== undefined) return record;
  return tell({ ...record, paused: { since: iso(moment.now), by, reason } }, 'paused', moment, reason, by);
}

/** Lets failover happen by itself again, also where attempts were exhausted or the cooldown is not over. */
export function resume(record: FailoverRecord, by: string, reason: string, moment: Moment): FailoverRecord {
  const { paused, cooldownUntil, ...rest } = record;
  const spent = (record.attempts?.automatic ?? 0) > 0;
  if (paused === undefined && cooldownUntil === undefined && !spent) return record;
  return tell(forgetAttempts(rest), 'resumed', moment, reason, by);
}
