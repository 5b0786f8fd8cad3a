import type * as z from 'zod';
import * as access from './access/bus-events.ts';
import { alarmEventSource, alarmEvents } from './access/webhooks/events.ts';
import * as cdn from './cdn/bus-events.ts';
import * as failover from './failover/bus-events.ts';
import * as recovery from './recovery/bus-events.ts';

/** Everything that Mainstay tells the platform on its bus: the schemas of `detail`, by `detail-type`, by `source`. */
export const platformEvents = {
  [recovery.eventSource]: recovery.busEvents,
  [failover.eventSource]: failover.busEvents,
  [cdn.eventSource]: cdn.busEvents,
  [access.eventSource]: access.busEvents,
  [alarmEventSource]: alarmEvents,
} as const satisfies Record<string, Record<string, z.ZodType<{ at: string }>>>;

export type EventSource = keyof typeof platformEvents;
export type EventName<S extends EventSource> = keyof (typeof platformEvents)[S] & string;
/** The `detail` of an event. */
export type EventDetail<S extends EventSource, N extends EventName<S>> = z.output<
  (typeof platformEvents)[S][N]
>;
