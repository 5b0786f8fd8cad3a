import { expect } from '@jest/globals';
import * as z from 'zod';
import type { StoredSpan } from '../../../functions/tracing/model.ts';
import { nano, ofService } from '../../functions/tracing/spans.ts';
import { waitFor } from '../../support/wait-for.ts';
import type { ApiClient } from './api.ts';

const spanSchema = z.looseObject({
  spanId: z.string(),
  parentSpanId: z.string().nullable(),
  service: z.string(),
  operation: z.string(),
});
const traceSchema = z.looseObject({ spans: z.array(spanSchema) });
const foundSchema = z.looseObject({ traces: z.array(z.looseObject({ traceId: z.string() })) });

/** Sends the span of whoever asked for something, as an instrumented caller does when it has its answer. */
export async function sendSpan(call: ApiClient, caller: StoredSpan): Promise<void> {
  const body = { resourceSpans: [ofService('caller', { ...caller, endTimeUnixNano: nano(Date.now()) })] };
  expect((await call('POST', '/v1/traces', { body })).status).toBe(200);
}

/**
 * Waits until a trace has spans of these operations, and sees that it is whole: one root, and no parent missing.
 *
 * @returns its spans of an operation, the earliest first.
 */
export async function wholeTrace(call: ApiClient, traceId: string, operations: readonly string[]) {
  const spans = await waitFor(
    async () => {
      const { body } = await call('GET', `/api/monitoring/tracing/${traceId}`);
      const view = traceSchema.safeParse(body).data;
      const seen = new Set(view?.spans.map(({ operation }) => operation));
      return view?.complete === true && operations.every((each) => seen.has(each)) && view.spans;
    },
    { what: `the whole trace with ${operations.join(', ')}`, intervalMs: 500 },
  );
  return (operation: string) => spans.filter((each) => each.operation === operation);
}

/** Waits until a search finds a trace with an operation of a service. @returns the id of the latest. */
export function latestTrace(call: ApiClient, service: string, operation: string): Promise<string> {
  return waitFor(
    async () => {
      const query = new URLSearchParams({ service, operation, limit: '1' });
      const { body } = await call('GET', `/api/monitoring/tracing/search?${query}`);
      return foundSchema.safeParse(body).data?.traces[0]?.traceId;
    },
    { what: `a trace of ${operation}`, intervalMs: 500 },
  );
}
