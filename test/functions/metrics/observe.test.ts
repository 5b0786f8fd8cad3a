import { gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { unpackDelivery } from '../../../functions/metrics/observe/log-batch.ts';
import { observe } from '../../../functions/metrics/observe/observed.ts';
import { spansOf } from '../../../functions/metrics/observe/spans-of.ts';
import { hourOf } from '../../../functions/metrics/tally/hours.ts';
import {
  type InvocationLine,
  invocationLine,
  readInvocationLine,
} from '../../../functions/shared/invocation-line.ts';

const now = Date.parse('2026-11-22T10:30:00Z');
const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';

const told = (more: Partial<InvocationLine> = {}): string =>
  invocationLine({
    ...{ service: 'cdn', fn: 'api', requestId: 'r', traceId, spanId: '00f067aa0ba902b7', startMs: now - 20 },
    ...{ durationMs: 12.5, coldStart: false, memoryBytes: 1e8, memoryLimitBytes: 5e8, ...more },
  });
const request = { route: 'GET /api/cdn/status', status: 200 };

const batch = (...messages: string[]) => ({
  messageType: 'DATA_MESSAGE' as const,
  logGroup: 'group',
  logEvents: messages.map((message, index) => ({ id: `event-${index}`, timestamp: now, message })),
});
const deliver = (content: object) => ({
  awslogs: { data: gzipSync(JSON.stringify(content)).toString('base64') },
});

describe('a delivery of log lines', () => {
  it('tells of invocations, and of nothing else that is written there', () => {
    const content = batch(
      'START RequestId: 1',
      told(request),
      '{"level":"INFO"}',
      told({ fn: 'run-purge' }),
      '{"kind":"mainstay.invocation"',
    );
    const unpacked = unpackDelivery(deliver(content));
    if (unpacked === undefined) throw new Error('nothing was unpacked');
    const { lines, batches, late } = observe(unpacked, now);
    expect([lines.map(({ fn }) => fn), late]).toEqual([['api', 'run-purge'], 0]);
    expect(batches.map(({ hour }) => hour)).toEqual([hourOf(now)]);
    const [counted] = batches;
    expect(counted?.tally.functions.get('cdn/api')).toMatchObject({ invocations: 1, errors: 0, sumMs: 12.5 });
    expect(counted?.tally.routes.get('GET /api/cdn/status')?.codes).toEqual({ '2xx': 1 });
  });

  it('is the same batch when it comes again, another when its lines are others, and one for each hour', () => {
    const ids = (...messages: string[]) => observe(batch(...messages), now).batches.map(({ id }) => id);
    expect(ids(told())).toEqual(ids(told()));
    expect(ids(told(), told())).not.toEqual(ids(told()));
    expect(ids(told(), told({ startMs: now - 3_600_000 }))).toHaveLength(2);
  });

  it('leaves out what comes later than anybody would deliver it, and what is ahead of the clock', () => {
    const messages = [told({ startMs: now - 8 * 3_600_000 }), told({ startMs: now + 3_600_000 }), told()];
    const { lines, late } = observe(batch(...messages), now);
    expect([lines.length, late]).toEqual([1, 2]);
  });

  it('of which CloudWatch Logs only tries whether it arrives has nothing in it', () => {
    const control = { ...batch(), messageType: 'CONTROL_MESSAGE' };
    expect(unpackDelivery(deliver(control))).toBeUndefined();
  });
});

describe('the line of an invocation', () => {
  it('reads back as it was written, and is no other text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (message) => {
        const line = told({ error: { type: 'Error', message } });
        expect(line.indexOf('\n')).toBe(line.length - 1);
        expect(readInvocationLine(line.trimEnd())?.error?.message).toBe(message);
        expect(readInvocationLine(message)).toBeUndefined();
      }),
    );
  });
});

describe('the span of an invocation', () => {
  it('is a server’s under its route, with the parent that sent it, and failed where the answer is 5xx', () => {
    const line = readInvocationLine(
      told({ ...request, status: 503, parentSpanId: 'aaaaaaaaaaaaaaaa' }).trimEnd(),
    );
    if (line === undefined) throw new Error('the line does not read back');
    const [
      {
        resource,
        scopeSpans: [{ spans } = { spans: [] }],
      } = { resource: { attributes: [] }, scopeSpans: [] },
    ] = spansOf([line]);
    expect(resource.attributes).toEqual([{ key: 'service.name', value: { stringValue: 'mainstay-cdn' } }]);
    expect(spans).toMatchObject([
      {
        traceId,
        parentSpanId: 'aaaaaaaaaaaaaaaa',
        name: 'GET /api/cdn/status',
        kind: 2,
        status: { code: 2 },
      },
    ]);
    const [span] = spans;
    expect(Number(BigInt(span?.endTimeUnixNano ?? 0) - BigInt(span?.startTimeUnixNano ?? 0))).toBe(
      12_500_000,
    );
  });

  it('of an event is a consumer’s under the function’s name', () => {
    const line = readInvocationLine(told({ fn: 'run-purge' }).trimEnd());
    const spans = spansOf(line === undefined ? [] : [line]).flatMap(({ scopeSpans }) =>
      scopeSpans.flatMap((each) => each.spans),
    );
    expect(spans).toMatchObject([{ name: 'run-purge', kind: 5 }]);
    expect(spans[0]).not.toHaveProperty('status');
  });
});
