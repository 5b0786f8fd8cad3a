import * as z from 'zod';
import { reportTraceparent } from '../../shared/execution-trace.ts';

const tracedSchema = z.looseObject({ traceparent: z.string() });
const eventSchema = z.looseObject({ detail: tracedSchema });

/** The trace that an event belongs to: its own, that of its `detail`, or that of the execution it reports on. */
export function traceparentOf(event: unknown): string | undefined {
  return (
    tracedSchema.safeParse(event).data?.traceparent ??
    eventSchema.safeParse(event).data?.detail.traceparent ??
    reportTraceparent(event)
  );
}
