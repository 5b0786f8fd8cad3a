import { gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { type Attributes, SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { JsonTraceSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import fc from 'fast-check';
import { DependencyError } from '../../../functions/shared/dependency.ts';
import { Problem, type ProblemKind, problemKinds } from '../../../functions/shared/problem.ts';
import { ingestTraces } from '../../../functions/tracing/ingest/ingest-traces.ts';
import { maximumSpans, maximumUnpackedBytes } from '../../../functions/tracing/ingest/limits.ts';
import type { AnyValue, ResourceSpans } from '../../../functions/tracing/model.ts';
import { otlpTypes, writeOtlpError } from '../../../functions/tracing/otlp/answers.ts';
import { tracesFromJson } from '../../../functions/tracing/otlp/from-json.ts';
import { tracesFromProtobuf } from '../../../functions/tracing/otlp/from-protobuf.ts';
import { MalformedOtlp } from '../../../functions/tracing/otlp/malformed.ts';
import { flatten } from '../../../functions/tracing/store/items.ts';
import { nano, ofService, span, text } from './spans.ts';

const hexId = (bytes: number) =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((id) => {
    id[0] = 1;
    return Buffer.from(id).toString('hex');
  });
const attributes: fc.Arbitrary<Attributes> = fc.dictionary(
  fc.string({ minLength: 1, unit: 'grapheme' }).filter((key) => key !== '__proto__'),
  fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.boolean(),
    fc.integer(),
    // JSON has no other numbers, and the SDK writes none for them.
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.array(fc.string(), { maxLength: 3 }),
  ),
  { maxKeys: 5 },
);
/** Told apart by identity, as those of tracers are. */
const scopes = [{ name: 'http' }, { name: 'sql', version: '2' }];
const time = fc.tuple(fc.integer({ min: 1, max: 2 ** 31 }), fc.integer({ min: 0, max: 999_999_999 }));
const contexts = fc.record({ traceId: hexId(16), spanId: hexId(8), traceFlags: fc.constantFrom(0, 1) });
const resource = attributes.map((given) => resourceFromAttributes(given));
const spans = resource.chain((of) =>
  fc.array(
    fc
      .record({
        context: contexts,
        parent: fc.option(contexts, { nil: undefined }),
        name: fc.string({ unit: 'grapheme' }),
        kind: fc.constantFrom(SpanKind.INTERNAL, SpanKind.SERVER, SpanKind.CONSUMER),
        startTime: time,
        endTime: time,
        attributes,
        status: fc.record({
          code: fc.constantFrom(SpanStatusCode.UNSET, SpanStatusCode.OK, SpanStatusCode.ERROR),
          message: fc.string(),
        }),
        events: fc.array(fc.record({ time, name: fc.string(), attributes }), { maxLength: 2 }),
        links: fc.array(fc.record({ context: contexts, attributes }), { maxLength: 2 }),
        scope: fc.constantFrom(...scopes),
        dropped: fc.nat({ max: 3 }),
      })
      .map(
        ({ context, parent, scope, dropped, ...rest }): ReadableSpan => ({
          ...rest,
          spanContext: () => context,
          ...(parent === undefined ? {} : { parentSpanContext: parent }),
          ...{ duration: [0, 0], ended: true, resource: of, instrumentationScope: scope },
          ...{ droppedAttributesCount: dropped, droppedEventsCount: dropped, droppedLinksCount: 0 },
        }),
      ),
    { minLength: 1, maxLength: 5 },
  ),
);

/** Which whole numbers are integers and which doubles is up to the SDK: it differs by their size. */
const numberIn = (value: AnyValue | undefined): number | undefined => {
  const { intValue, doubleValue } = value ?? {};
  return intValue === undefined && doubleValue === undefined
    ? undefined
    : Number(intValue ?? doubleValue) + 0;
};

/** What a value of the SDK is in OTLP. */
function otlpOf(value: Attributes[string]): AnyValue {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (Array.isArray(value)) return { arrayValue: { values: value.map((each) => otlpOf(each ?? undefined)) } };
  if (typeof value !== 'number') return {};
  return { doubleValue: value };
}

describe('the two encodings of OTLP', () => {
  it('are read as the SDK has written them, and say the same', () => {
    fc.assert(
      fc.property(spans, (given) => {
        const binary = tracesFromProtobuf(Buffer.from(ProtobufTraceSerializer.serializeRequest(given) ?? []));
        const written = JsonTraceSerializer.serializeRequest(given) ?? new Uint8Array();
        expect(tracesFromJson(Buffer.from(written).toString('utf8'))).toEqual(binary);
        const bySpan = new Map(flatten(binary).map((item) => [item.span.spanId, item]));
        for (const each of given) {
          const { traceId, spanId } = each.spanContext();
          const found = bySpan.get(spanId);
          if (given.filter((other) => other.spanContext().spanId === spanId).length > 1) continue;
          expect(found?.span).toMatchObject({
            ...{ traceId, spanId, name: each.name, kind: each.kind + 1 },
            startTimeUnixNano: String(BigInt(each.startTime[0]) * 1_000_000_000n + BigInt(each.startTime[1])),
          });
          expect(found?.span.parentSpanId).toBe(each.parentSpanContext?.spanId);
          expect(found?.scope?.name).toBe(each.instrumentationScope.name);
          const expected = Object.entries(each.attributes).map(([key, value]) => ({
            key,
            value: otlpOf(value),
          }));
          expect(found?.span.attributes.length).toBe(expected.length);
          for (const { key, value } of expected) {
            const is = found?.span.attributes.find((attribute) => attribute.key === key)?.value;
            expect(numberIn(is) ?? is).toEqual(numberIn(value) ?? value);
          }
          expect(found?.span.events?.length ?? 0).toBe(each.events.length);
          expect(found?.span.links?.map((link) => link.spanId) ?? []).toEqual(
            each.links.map((link) => link.context.spanId),
          );
        }
      }),
      { numRuns: 50 },
    );
  });

  it('never fail otherwise than by saying that something is malformed', () => {
    const whole = Buffer.from(ProtobufTraceSerializer.serializeRequest(fc.sample(spans, 1)[0] ?? []) ?? []);
    const attempt = (read: () => unknown) => {
      try {
        read();
      } catch (error) {
        expect(error).toBeInstanceOf(MalformedOtlp);
      }
    };
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(), fc.nat({ max: 255 }), (noise, place, byte) => {
        attempt(() => tracesFromProtobuf(Buffer.from(noise)));
        const changed = Buffer.from(whole);
        changed[place % whole.length] = byte;
        attempt(() => tracesFromProtobuf(changed));
        attempt(() => tracesFromProtobuf(whole.subarray(0, place % whole.length)));
      }),
      { numRuns: 500 },
    );
    const nested = (depth: number) => `${'{"arrayValue":{"values":['.repeat(depth)}{}${']}}'.repeat(depth)}`;
    for (const value of [nested(3), nested(5_000), '{"intValue":1.5}', '{"bytesValue":"*"}', '[]', '7']) {
      const message = `{"resourceSpans":[{"resource":{"attributes":[{"key":"a","value":${value}}]}}]}`;
      attempt(() => tracesFromJson(message));
    }
  });

  it('read JSON as other senders write it', () => {
    const message = {
      resourceSpans: [
        {
          unknown: 1,
          scopeSpans: [
            {
              spans: [
                {
                  ...{ traceId: 'ABCDEF0123456789ABCDEF0123456789', spanId: 'ABCDEF0123456789', kind: 3 },
                  ...{ name: 'x\ud800', startTimeUnixNano: 12, endTimeUnixNano: '18446744073709551615' },
                  attributes: [
                    { key: 'n', value: { intValue: -3 } },
                    { key: 'none' },
                    { key: 'z', value: null },
                  ],
                  ...{ status: {}, parentSpanId: null, events: null },
                },
              ],
            },
          ],
        },
      ],
    };
    const [item] = flatten(tracesFromJson(JSON.stringify(message)));
    expect(item).toEqual({
      ...{ service: 'unknown_service', resource: { attributes: [] } },
      span: {
        ...{ traceId: 'abcdef0123456789abcdef0123456789', spanId: 'abcdef0123456789', kind: 3 },
        ...{ name: 'x\ufffd', startTimeUnixNano: '12', endTimeUnixNano: '18446744073709551615' },
        attributes: [
          { key: 'n', value: { intValue: '-3' } },
          { key: 'none', value: {} },
          { key: 'z', value: {} },
        ],
      },
    });
    expect(() =>
      tracesFromJson('{"resourceSpans":[{"scopeSpans":[{"spans":[{"kind":"SERVER"}]}]}]}'),
    ).toThrow('A member of spans: kind is not a whole number of 32 bits');
    expect(() => tracesFromJson('{"resourceSpans": [')).toThrow('position');
  });
});

const now = Date.parse('2026-05-04T10:30:00Z');
const limits = { valueChars: 64, attributes: 8, events: 2, links: 1, spanChars: 4_096 };

describe('a request to ingest', () => {
  const stored: ResourceSpans[] = [];
  const counted = new Map<string, number>();
  let fails: Error | undefined;
  const ingest = (
    body: string | Uint8Array,
    contentType: string = otlpTypes.json,
    contentEncoding?: string,
  ) =>
    ingestTraces(
      { body: typeof body === 'string' ? Buffer.from(body) : body, contentType, contentEncoding },
      {
        ...{ limits, retentionDays: 7, now },
        metrics: { addMetric: (name, _unit, value) => counted.set(name, value) },
        store: {
          putSpans: async (batch) => {
            if (fails !== undefined) throw fails;
            stored.splice(0, stored.length, ...batch);
          },
        },
      },
    );
  const send = (...all: ResourceSpans[]) => ingest(JSON.stringify({ resourceSpans: all }));
  const partial = (body: string | Uint8Array) => JSON.parse(String(body)).partialSuccess;

  it('is answered as it was sent, and says nothing when there is nothing to say', async () => {
    expect(await send(ofService('a', span({ startMs: now })))).toEqual({ type: otlpTypes.json, body: '{}' });
    expect(stored).toHaveLength(1);
    expect(await ingest(new Uint8Array(), otlpTypes.protobuf)).toEqual({
      ...{ type: otlpTypes.protobuf, body: new Uint8Array() },
    });
    expect(await ingest(gzipSync('{"resourceSpans":[]}'), 'application/json; charset=utf-8', 'gzip')).toEqual(
      {
        ...{ type: otlpTypes.json, body: '{}' },
      },
    );
  });

  it('is told how many spans were rejected and why; the others are stored', async () => {
    const day = 86_400_000;
    const good = span({ startMs: now - 6 * day });
    const bad = [
      span({ startMs: now - 8 * day }),
      span({ startMs: now + 2 * day }),
      span({ startMs: now, traceId: '0'.repeat(32) }),
      span({ startMs: now, spanId: 'abcd' }),
      span({ startMs: now, startTimeUnixNano: '0' }),
    ];
    const { body } = await send(ofService('a', ...bad, good));
    expect(partial(body)).toEqual({
      rejectedSpans: '5',
      errorMessage: expect.stringMatching(
        /3 without valid ids.*1 that started more than 7 days ago.*1 that start/,
      ),
    });
    expect(flatten(stored).map((item) => item.span)).toEqual([good]);
    expect(Object.fromEntries(counted)).toMatchObject({
      ...{ SpansStored: 1, SpansInvalid: 3, SpansTooOld: 1, SpansAhead: 1, SpansShortened: 0 },
    });
  });

  it('has its spans cut to the limits, which then say what they have lost', async () => {
    const many = Array.from({ length: 20 }, (_, n) => text(`a${n}`, 'v'));
    const event = { timeUnixNano: nano(now), name: 'e', attributes: [text('stack', 'y'.repeat(100))] };
    const link = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), attributes: [] };
    const { body } = await send(
      ofService(
        'a',
        span({
          ...{ startMs: now, events: [event, event, event] },
          attributes: [text('sql', `${'x'.repeat(63)}💥`), ...many],
          links: [{ ...link, traceId: 'abcd' }, link],
        }),
        span({ startMs: now, attributes: many.slice(0, 8) }),
      ),
    );
    expect(partial(body)).toMatchObject({
      rejectedSpans: '0',
      errorMessage: expect.stringContaining('shortened: 1'),
    });
    const [cut, whole] = flatten(stored).map((item) => item.span);
    expect(cut).toMatchObject({
      droppedAttributesCount: 13,
      droppedEventsCount: 1,
      droppedLinksCount: 2,
      events: [{ attributes: [text('stack', 'y'.repeat(64))] }, {}],
    });
    expect(cut?.attributes[0]).toEqual(text('sql', 'x'.repeat(63)));
    expect(cut?.attributes.at(-1)).toEqual({
      key: 'mainstay.truncated',
      value: {
        arrayValue: {
          values: ['sql', 'event:e:stack', 'event:e:stack'].map((stringValue) => ({ stringValue })),
        },
      },
    });
    expect(whole?.attributes).toHaveLength(8);
  });

  it.each<[string, () => Promise<unknown>, ProblemKind]>([
    ['what is not JSON', () => ingest('{'), 'invalid-request'],
    ['what is not protobuf', () => ingest(Buffer.from([0x0a, 0x7f]), otlpTypes.protobuf), 'invalid-request'],
    ['what is not gzip', () => ingest('{}', otlpTypes.json, 'gzip'), 'invalid-request'],
    ['another encoding', () => ingest('{}', otlpTypes.json, 'snappy'), 'unsupported-media-type'],
    [
      'what is too large when it is unpacked',
      () => ingest(gzipSync(Buffer.alloc(maximumUnpackedBytes + 1)), otlpTypes.json, 'gzip'),
      'payload-too-large',
    ],
    [
      'too many spans',
      () =>
        ingest(
          JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: Array(maximumSpans + 1).fill({}) }] }] }),
        ),
      'payload-too-large',
    ],
  ])('is refused for good when it is %s', async (_, request, kind) => {
    await expect(request()).rejects.toMatchObject({ kind });
  });

  it('is told to come again when its spans are not stored', async () => {
    fails = new DependencyError('DynamoDB left 3 of 5 items unwritten');
    await expect(send(ofService('a', span({ startMs: now })))).rejects.toMatchObject({
      ...{ status: 503, headers: { 'retry-after': '5' } },
    });
    fails = undefined;
  });
});

describe('an error of OTLP', () => {
  it('is a google.rpc.Status in the encoding of the request', () => {
    const refused = new Problem('invalid-request', 'No.');
    const context = { traceId: 'f'.repeat(32) };
    expect(writeOtlpError(refused, { ...context, contentType: 'application/json' })).toEqual({
      ...{ status: 400, headers: { 'content-type': 'application/json' }, body: '{"code":3,"message":"No."}' },
    });
    const binary = writeOtlpError(refused, { ...context, contentType: 'application/x-protobuf' });
    expect(binary.body).toEqual(Buffer.from([0x08, 3, 0x12, 3, ...Buffer.from('No.')]));
    const codes = (['unauthorized', 'forbidden', 'too-many-requests', 'not-available'] as const).map(
      (kind) => {
        const { body } = writeOtlpError(new Problem(kind, 'x'), { ...context, contentType: undefined });
        return [problemKinds[kind].status, JSON.parse(String(body)).code];
      },
    );
    expect(codes).toEqual([
      ...[
        [401, 16],
        [403, 7],
        [429, 8],
        [503, 14],
      ],
    ]);
  });
});
