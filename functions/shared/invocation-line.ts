import * as z from 'zod';

/** What marks the line; log subscriptions look for it. */
export const invocationMark = 'mainstay.invocation';

/**
 * What a function says of each of its invocations when it ends, in one line of its log: traces and metrics of Mainstay itself are made
 * of it, so that no request waits for a call that tells of it.
 */
export const invocationLineSchema = z.object({
  kind: z.literal(invocationMark),
  version: z.literal(1),
  /** The capability's contract, and the function's name in it. */
  service: z.string().max(100),
  fn: z.string().max(100),
  requestId: z.string().max(100),
  traceId: z.string().regex(/^[0-9a-f]{32}$/),
  spanId: z.string().regex(/^[0-9a-f]{16}$/),
  parentSpanId: z
    .string()
    .regex(/^[0-9a-f]{16}$/)
    .optional(),
  /** Ms since 1970, with fractions. */
  startMs: z.number().min(0),
  durationMs: z.number().min(0),
  coldStart: z.boolean(),
  memoryBytes: z.int().min(0),
  memoryLimitBytes: z.int().min(0),
  /** Of a request: API Gateway's route key, and the status of the answer. */
  route: z.string().max(300).optional(),
  status: z.int().min(100).max(599).optional(),
  tenant: z.string().max(200).optional(),
  error: z.object({ type: z.string().max(200), message: z.string().max(500) }).optional(),
});
export type InvocationLine = z.output<typeof invocationLineSchema>;

/** Reads the line; `undefined` for any other, also for one that only looks like it. */
export function readInvocationLine(text: string): InvocationLine | undefined {
  if (!text.startsWith(`{"kind":"${invocationMark}"`)) return undefined;
  try {
    return invocationLineSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** Writes the line. */
export const invocationLine = (line: Omit<InvocationLine, 'kind' | 'version'>): string =>
  `${JSON.stringify({ kind: invocationMark, version: 1, ...line } satisfies InvocationLine)}\n`;
