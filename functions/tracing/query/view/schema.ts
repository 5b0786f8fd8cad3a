import * as z from 'zod';
import { spanKinds } from '../../model.ts';

const offset = z.number().describe('Milliseconds since the start of the trace, after clocks were corrected.');
const spanId = z.string().describe('16 hex digits.');
const count = z.int().min(0);
const interval = { fromMs: offset, toMs: offset };

/** A value of an attribute: what has no plain value is shown as OTLP’s JSON. */
export const tagValueSchema = z.union([z.string(), z.number(), z.boolean()]);

export const viewSpanSchema = z.strictObject({
  spanId,
  parentSpanId: spanId.nullable(),
  service: z.string(),
  operation: z.string(),
  kind: z.enum(spanKinds),
  startTime: z.string().describe('As the span says it: RFC 3339 with nanoseconds.'),
  offsetMs: offset,
  durationMs: z.number(),
  selfMs: z.number().describe('The duration without the time in which a child was at work.'),
  criticalMs: z.number().describe('Its part of the critical path.'),
  depth: z.int().describe('0 on roots. Spans come parents first, children in the order of their start.'),
  children: count,
  skewMs: z.number().describe('What its clock was corrected by; 0 as a rule.'),
  error: z.boolean(),
  statusMessage: z.string().optional(),
  tags: z.record(z.string(), tagValueSchema),
  events: z.array(z.strictObject({ time: z.string(), name: z.string() })),
});
export type ViewSpan = z.output<typeof viewSpanSchema>;

/** The most entries of each list beside the spans; the count beside a list is exact. */
export const listedEntries = 1_000;

export const traceViewSchema = z.strictObject({
  traceId: z.string().describe('32 hex digits.'),
  startTime: z.string(),
  durationMs: z.number().describe('From the first start to the last end, after clocks were corrected.'),
  service: z.string().nullable().describe('Of the root; null where no root is stored.'),
  operation: z.string().nullable(),
  spanCount: count,
  errorCount: count,
  services: z.array(z.strictObject({ service: z.string(), spans: count, errors: count, selfMs: z.number() })),
  complete: z
    .boolean()
    .describe(
      'One root, no span missing that another names, all stored spans read. More may be on their way.',
    ),
  completeness: z.number().min(0).max(1).describe('Spans read, of those and the ones known to be missing.'),
  truncated: z.boolean().describe('The trace has more spans than are read.'),
  rootCount: count,
  missing: z
    .array(z.strictObject({ spanId, children: count, services: z.array(z.string()), ...interval }))
    .describe('Spans that stored spans name as their parent; they ran at least for this time.'),
  missingCount: count,
  orphans: z
    .array(z.strictObject({ spanId, missingParentId: spanId, service: z.string(), operation: z.string() }))
    .describe('Spans whose parent is missing.'),
  orphanCount: count,
  gaps: z.array(z.strictObject(interval)).describe('Times within the trace in which no span was at work.'),
  gapCount: count,
  clockSkews: z
    .array(z.strictObject({ spanId, service: z.string(), skewMs: z.number() }))
    .describe('Spans from which on a clock was corrected.'),
  clockSkewCount: count,
  loops: z.array(spanId).describe('Spans whose parents lead back to themselves; shown as roots.'),
  criticalPath: z
    .array(z.strictObject({ spanId, service: z.string(), operation: z.string(), ...interval }))
    .describe('What the root spent its time on: without gaps from its start to its end.'),
  criticalPathLength: count,
  spans: z.array(viewSpanSchema),
  nextToken: z.string().nullable(),
});
export type TraceView = z.output<typeof traceViewSchema>;
