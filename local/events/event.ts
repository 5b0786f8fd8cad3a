import { randomUUID } from 'node:crypto';

/** An event as rules see it and targets get it. */
export interface BusEvent {
  version: '0';
  id: string;
  'detail-type': string;
  source: string;
  account: string;
  /** ISO 8601, to the second. */
  time: string;
  region: string;
  resources: string[];
  detail: Record<string, unknown>;
}

/** What a part of the runtime says when it puts an event on the default bus. */
export interface ServiceEvent {
  /** For example `aws.states`. */
  source: string;
  detailType: string;
  /** ARNs the event is about. */
  resources: readonly string[];
  detail: Record<string, unknown>;
  /** Milliseconds since the epoch. */
  time: number;
}

/** Puts an event into its envelope. */
export function envelope(event: ServiceEvent, account: string, region: string): BusEvent {
  return {
    version: '0',
    id: randomUUID(),
    'detail-type': event.detailType,
    source: event.source,
    account,
    time: new Date(event.time).toISOString().replace(/\.\d{3}Z$/, 'Z'),
    region,
    resources: [...event.resources],
    detail: event.detail,
  };
}
