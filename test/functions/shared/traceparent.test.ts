import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { continueTrace, parseTraceparent, traceIdOfXRay } from '../../../functions/shared/traceparent.ts';

const hex = (length: number) =>
  fc
    .array(fc.constantFrom(...'0123456789abcdef'), { minLength: length, maxLength: length })
    .map((digits) => digits.join(''))
    .filter((id) => !/^0+$/.test(id));

describe('the trace of a request', () => {
  it('keeps the id and the sampling decision of a valid traceparent, and names its span as the parent', () => {
    fc.assert(
      fc.property(hex(32), hex(16), fc.integer({ min: 0, max: 255 }), (traceId, spanId, flags) => {
        const header = `00-${traceId}-${spanId}-${flags.toString(16).padStart(2, '0')}`;
        const trace = continueTrace(header);
        expect(trace.traceId).toBe(traceId);
        expect(trace.parentSpanId).toBe(spanId);
        expect(trace.spanId).not.toBe(spanId);
        expect(trace.sampled).toBe((flags & 1) === 1);
        expect(parseTraceparent(trace.traceparent)).toEqual({
          traceId,
          spanId: trace.spanId,
          sampled: trace.sampled,
        });
      }),
    );
  });

  it('starts anew, and always validly, whatever a header holds', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constant(undefined)), (header) => {
        fc.pre(parseTraceparent(header) === undefined);
        const trace = continueTrace(header);
        expect(trace.parentSpanId).toBeUndefined();
        expect(parseTraceparent(trace.traceparent)).toBeDefined();
      }),
    );
  });

  it('is not taken from a traceparent that the specification calls invalid', () => {
    const traceId = 'a'.repeat(32);
    const spanId = 'b'.repeat(16);
    const invalid = [
      `ff-${traceId}-${spanId}-01`,
      `00-${'0'.repeat(32)}-${spanId}-01`,
      `00-${traceId}-${'0'.repeat(16)}-01`,
      `00-${traceId.toUpperCase()}-${spanId}-01`,
      `00-${traceId}-${spanId}-01-more`,
      `00-${traceId}-${spanId}`,
      `00-${traceId.slice(1)}-${spanId}-01`,
    ];
    for (const header of invalid) expect(parseTraceparent(header)).toBeUndefined();
    expect(parseTraceparent(`01-${traceId}-${spanId}-01-more`)).toEqual({ traceId, spanId, sampled: true });
  });

  it('takes the id of X-Ray where nobody has begun a trace', () => {
    const xray = '1-5759e988-bd862e3fe1be46a994272793';
    expect(continueTrace(undefined, xray).traceId).toBe('5759e988bd862e3fe1be46a994272793');
    expect(traceIdOfXRay('1-00000000-000000000000000000000000')).toBeUndefined();
    expect(traceIdOfXRay('something else')).toBeUndefined();
  });
});
