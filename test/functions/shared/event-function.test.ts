import './output.ts';
import { beforeEach, describe, expect, it } from '@jest/globals';
import * as z from 'zod';
import { eventFunction } from '../../../functions/shared/event-function.ts';
import { readInvocationLine } from '../../../functions/shared/invocation-line.ts';
import { secretInAnError } from './example.ts';
import { lambdaContext } from './lambda.ts';
import { takeInvocations, takeOutput, takeRecords } from './output.ts';

const contract = {
  environment: z.object({ TABLE: z.string() }),
  event: z.strictObject({
    traceparent: z.string().optional(),
    count: z.int(),
    password: z.string().optional(),
  }),
};
const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const traceparent = `00-${traceId}-00f067aa0ba902b7-01`;
const environment = { TABLE: 'things' };

class NotNow extends Error {
  override readonly name = 'NotNow';
}

const handler = eventFunction({
  contract,
  environment,
  handler:
    ({ TABLE }) =>
    async ({ count }, { trace, log, functionArn }) => {
      if (count < 0) throw new NotNow('cannot count postgres://user:hunter2@host/db below zero');
      log.info('Counting', { from: { url: 'postgres://user:hunter2@host/db', keys: [secretInAnError] } });
      return { TABLE, count: count + 1, traceparent: trace.traceparent, functionArn };
    },
});

beforeEach(() => {
  takeOutput();
});

describe('an event function', () => {
  it('gets its event parsed, its environment, and a trace to hand on', async () => {
    const result = await handler({ count: 1, traceparent }, lambdaContext());
    expect(result).toMatchObject({
      TABLE: 'things',
      count: 2,
      traceparent: expect.stringContaining(traceId),
      functionArn: expect.stringContaining(':function:test-function'),
    });
    expect(result).not.toMatchObject({ traceparent });
  });

  it('leaves the trace id of its event in every line, and says how it ended', async () => {
    await handler({ count: 1, traceparent }, lambdaContext());
    const records = takeRecords();
    expect(records.map(({ message }) => message)).toEqual(['Counting', 'Done']);
    for (const record of records) expect(record.traceId).toBe(traceId);
    expect(records.at(-1)).toMatchObject({
      durationMs: expect.any(Number),
      function_request_id: expect.any(String),
    });
  });

  it('leaves no secret in a line, however deep', async () => {
    await handler({ count: 1 }, lambdaContext());
    expect(takeRecords()[0]).toMatchObject({
      from: { url: 'postgres://user:…@host/db', keys: ['msk_…'] },
    });
  });

  it('refuses an event that its contract does not describe, by names and without values', async () => {
    const refused = handler({ count: 'hunter2', password: 5 }, lambdaContext());
    await expect(refused).rejects.toMatchObject({
      name: 'InvalidEvent',
      message: expect.stringMatching(/count: .*; password: /),
    });
    expect(takeOutput().join('')).not.toContain('hunter2');
  });

  it('fails with the name that a workflow decides by, and without secrets', async () => {
    const failed = handler({ count: -1, password: 'hunter2', traceparent }, lambdaContext());
    await expect(failed).rejects.toMatchObject({
      name: 'NotNow',
      message: 'cannot count postgres://user:…@host/db below zero',
    });
    const records = takeRecords();
    expect(JSON.stringify(records)).not.toContain('hunter2');
    expect(records.at(-1)).toMatchObject({ level: 'ERROR', traceId, message: 'The function failed' });
  });

  it('tells of each invocation in one line: how long it took, in which trace, and what it failed of', async () => {
    await handler({ count: 1, traceparent }, lambdaContext());
    await expect(handler({ count: -1, traceparent }, lambdaContext())).rejects.toThrow();
    const told = takeInvocations();
    const common = {
      service: 'test',
      traceId,
      parentSpanId: '00f067aa0ba902b7',
      memoryBytes: expect.any(Number),
    };
    expect(told).toEqual([
      expect.objectContaining({ ...common, durationMs: expect.any(Number) }),
      expect.objectContaining({
        ...common,
        error: { type: 'NotNow', message: 'cannot count postgres://user:…@host/db below zero' },
      }),
    ]);
    expect(told[0]).not.toHaveProperty('error');
    for (const { memoryBytes } of told) expect(memoryBytes).toBeGreaterThan(10_000_000);
    expect(told.map((line) => readInvocationLine(JSON.stringify(line)))).toEqual(told);
  });

  it('finds its trace where it is told to look', async () => {
    const elsewhere = eventFunction({
      contract: { environment: z.object({}), event: z.object({ detail: z.string() }) },
      environment: {},
      traceparentOf: (event) => z.object({ detail: z.string() }).parse(event).detail,
      handler:
        () =>
        (_event, { trace }) =>
          trace.traceId,
    });
    expect(await elsewhere({ detail: traceparent }, lambdaContext())).toBe(traceId);
  });

  it('does not start without its environment', () => {
    const start = () => eventFunction({ contract, environment: {}, handler: () => () => undefined });
    expect(start).toThrow('TABLE is not set');
  });
});
