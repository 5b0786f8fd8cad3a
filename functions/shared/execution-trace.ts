import * as z from 'zod';

const inputSchema = z.looseObject({ input: z.looseObject({ traceparent: z.string() }) });
const reportSchema = z.looseObject({ detail: z.looseObject({ input: z.string() }) });
const executionInputSchema = z.looseObject({ traceparent: z.string() });

/** The trace of a state that is given the execution's input: the first one, and the one that concludes. */
export function inputTraceparent(event: unknown): string | undefined {
  return inputSchema.safeParse(event).data?.input.traceparent;
}

/** The trace of an execution that EventBridge reports on: it is in the execution's input, as text. */
export function reportTraceparent(event: unknown): string | undefined {
  const text = reportSchema.safeParse(event).data?.detail.input;
  if (text === undefined) return undefined;
  try {
    return executionInputSchema.safeParse(JSON.parse(text)).data?.traceparent;
  } catch {
    return undefined;
  }
}
