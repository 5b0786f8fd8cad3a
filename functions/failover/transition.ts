import {
  type FailoverRecord,
  type FailoverState,
  historyLength,
  type Notice,
  type Operation,
  type Outcome,
} from './record.ts';

/*
 * How a shard's record changes: pure functions from one to the next. One that changes nothing gives back the very record it was
 * given; the store writes each change on the condition that nobody else has written meanwhile.
 */

export interface Moment {
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly traceparent: string;
}

export const iso = (ms: number): string => new Date(ms).toISOString();

/** @returns the record in another state, with the transition noted. */
export function enter(
  record: FailoverRecord,
  to: FailoverState,
  { now }: Moment,
  reason?: string,
): FailoverRecord {
  const { reason: _, ...rest } = record;
  const at = iso(now);
  const why = reason === undefined ? {} : { reason };
  return {
    ...rest,
    ...why,
    state: to,
    since: at,
    transitions: [...record.transitions, { at, to, ...why }].slice(-historyLength),
  };
}

/** What a notice says of an operation. */
interface About extends Pick<Operation, 'kind' | 'trigger' | 'fromEpoch' | 'toEpoch'> {
  readonly from: { readonly instance?: string | undefined };
  readonly target: { readonly instance: string };
}

/** Notes what the platform has to be told, in the same write as what it is about. */
export function tell(
  record: FailoverRecord,
  event: Notice['event'],
  { now, traceparent }: Moment,
  reason: string,
  by?: string,
  about?: About,
  outcome?: Pick<Outcome, 'rtoMs' | 'rpoBytes'>,
): FailoverRecord {
  const notice: Notice = {
    ...{ event, at: iso(now), reason, traceparent },
    ...(by !== undefined && { by }),
    ...(about !== undefined && { about: briefOf(about) }),
    ...(outcome !== undefined && { rtoMs: outcome.rtoMs, rpoBytes: outcome.rpoBytes }),
  };
  return { ...record, untold: [...record.untold, notice].slice(-historyLength) };
}

const briefOf = ({ kind, trigger, fromEpoch, toEpoch, from, target }: About): Notice['about'] => ({
  ...{ kind, trigger, fromEpoch, toEpoch, target: target.instance },
  ...(from.instance !== undefined && { from: from.instance }),
});

/** Clocks differ, and an alarm may know of a failure that no probe has noted. */
export const earlier = (at: string | undefined, otherwise: string): string =>
  at !== undefined && Date.parse(at) < Date.parse(otherwise) ? at : otherwise;

/** The count stays: it names executions, and no name is given twice. */
export const forgetAttempts = (record: FailoverRecord): FailoverRecord =>
  record.attempts === undefined ? record : { ...record, attempts: { ...record.attempts, automatic: 0 } };
