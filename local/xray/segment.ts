import * as z from 'zod';

const headerSchema = z.object({ format: z.literal('json'), version: z.literal(1) });

const segmentSchema = z.looseObject({
  trace_id: z.string(),
  id: z.string(),
  name: z.string(),
  start_time: z.number(),
  end_time: z.number().optional(),
  in_progress: z.boolean().optional(),
  parent_id: z.string().optional(),
  type: z.string().optional(),
});

/** A segment or subsegment document, as SDKs send it. Times are seconds since the epoch. */
export type Segment = z.infer<typeof segmentSchema>;

/** Reads a datagram to the daemon: a header line and a document. Undefined for anything else. */
export function parseDatagram(datagram: Buffer): Segment | undefined {
  const text = datagram.toString('utf8');
  const end = text.indexOf('\n');
  if (end < 0) return undefined;
  try {
    headerSchema.parse(JSON.parse(text.slice(0, end)));
    return segmentSchema.parse(JSON.parse(text.slice(end + 1)));
  } catch {
    return undefined;
  }
}
