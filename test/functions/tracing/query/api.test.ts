import '../../shared/output.ts';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { AnyValue, ResourceSpans, TraceSpan } from '../../../../functions/tracing/model.ts';
import { tracesFromJson } from '../../../../functions/tracing/otlp/from-json.ts';
import { tracesFromProtobuf } from '../../../../functions/tracing/otlp/from-protobuf.ts';
import { WireReader } from '../../../../functions/tracing/otlp/wire.ts';
import { tracesToProtobuf } from '../../../../functions/tracing/query/encode/to-protobuf.ts';
import { flatten } from '../../../../functions/tracing/store/items.ts';
import { spanIdOf, spansOf, traceId } from './spans.ts';
import { startTracing } from './support.ts';

const base = Date.parse('2026-05-04T10:30:00Z');
const now = base + 60_000;
const checkout: TraceSpan[] = spansOf(
  [
    {
      id: 'a',
      from: 0,
      to: 250,
      service: 'web',
      name: 'GET /cart',
      kind: 'server',
      tags: { 'http.method': 'GET' },
    },
    { id: 'b', parent: 'a', from: 10, to: 200, service: 'web', name: 'call', kind: 'client' },
    {
      id: 'c',
      parent: 'b',
      from: 20,
      to: 190,
      service: 'shop',
      name: 'order',
      kind: 'server',
      error: true,
      host: 'h1',
    },
  ],
  base,
);
const healthy = spansOf(
  [{ id: 'd', from: 0, to: 5, service: 'web', name: 'GET /health', kind: 'server' }],
  base + 5_000,
  'ab'.repeat(16),
);
const values: AnyValue[] = [
  ...[{ stringValue: '' }, { boolValue: false }, { intValue: '-9007199254740993' }, { doubleValue: 0 }],
  ...[
    { doubleValue: 'NaN' as const },
    { bytesValue: 'AAEC' },
    { arrayValue: { values: [{ intValue: '1' }] } },
  ],
  { kvlistValue: { values: [{ key: 'k', value: { boolValue: true } }] } },
];
/** A span with all that OTLP has. */
const full: ResourceSpans[] = [
  {
    resource: {
      attributes: [{ key: 'service.name', value: { stringValue: 'all' } }],
      droppedAttributesCount: 2,
    },
    schemaUrl: 'https://example.com/1',
    scopeSpans: [
      {
        scope: { name: 'lib', version: '1', attributes: [{ key: 'x', value: { boolValue: true } }] },
        schemaUrl: 'https://example.com/2',
        spans: [
          {
            ...{
              traceId: 'cd'.repeat(16),
              spanId: spanIdOf('e'),
              parentSpanId: spanIdOf('f'),
              traceState: 'a=b',
            },
            ...{ flags: 257, name: 'ü', kind: 5, droppedAttributesCount: 1, droppedEventsCount: 1 },
            startTimeUnixNano: String(BigInt(base) * 1_000_000n + 1n),
            endTimeUnixNano: String(BigInt(base) * 1_000_000n + 1_500_002n),
            attributes: values.map((value, index) => ({ key: `v${index}`, value })),
            events: [{ timeUnixNano: String(BigInt(base) * 1_000_000n), name: 'exception', attributes: [] }],
            links: [{ traceId, spanId: spanIdOf('1'), traceState: 'c=d', attributes: [], flags: 1 }],
            droppedLinksCount: 1,
            status: { code: 2, message: 'no' },
          },
        ],
      },
    ],
  },
];

let tracing: Awaited<ReturnType<typeof startTracing>>;
beforeAll(async () => {
  tracing = await startTracing(now);
  // Each service sends its own.
  for (const own of Map.groupBy(checkout, ({ service }) => service).values()) await tracing.put(own);
  await tracing.put(healthy);
  await tracing.put(flatten(full));
});
afterAll(() => tracing.stop());

const get = async (url: string, headers?: Record<string, string>) => {
  const { status, json } = await tracing.get(url, headers);
  return { status, body: json() };
};

describe('traces, in this API’s own form', () => {
  it('are searched, page by page, and summed up', async () => {
    const url = '/api/monitoring/tracing/search?service=web&limit=1';
    const first = await get(url);
    expect(first).toMatchObject({
      status: 200,
      body: { complete: true, traces: [{ operation: 'GET /health' }] },
    });
    const { nextToken } = first.body as { nextToken: string };
    const second = await get(`${url}&nextToken=${nextToken}`);
    expect(second.body).toMatchObject({
      nextToken: null,
      traces: [
        {
          ...{
            traceId,
            durationMs: 250,
            service: 'web',
            operation: 'GET /cart',
            spanCount: 3,
            errorCount: 1,
          },
          startTime: '2026-05-04T10:30:00.000000000Z',
          matched: { count: 2, spans: [{ spanId: spanIdOf('b'), kind: 'client' }, { durationMs: 250 }] },
        },
      ],
    });
  });

  it.each([
    ['operation=order', 1],
    ['error=true&service=shop', 1],
    ['error=false&service=shop', 0],
    ['tags=http.method%3DGET&minDurationMs=250', 1],
    ['minDurationMs=251', 0],
    ['maxDurationMs=5&order=longest', 2],
    ['from=2026-05-04T09:00:00Z&to=2026-05-04T10:00:00Z', 0],
    ['order=shortest', 3],
  ])('are found by %s', async (query, count) => {
    const { body } = await get(`/api/monitoring/tracing/search?${query}`);
    expect((body as { traces: unknown[] }).traces).toHaveLength(count);
  });

  it.each([
    ['search?tags=%22', 'query.tags'],
    ['search?from=2026-05-04T10:00:00Z&to=2026-05-04T09:00:00Z', 'query.from'],
    ['search?nextToken=abc', 'query.nextToken'],
    ['stats?from=2026-01-01T00:00:00Z', 'query.from'],
    ['xyz', 'params.traceId'],
  ])('are refused with a problem for %s, which names %s', async (path, field) => {
    expect(await get(`/api/monitoring/tracing/${path}`)).toMatchObject({
      status: 400,
      body: { errors: [{ field }] },
    });
  });

  it('are shown one by one, and exported so that another receiver takes the same', async () => {
    const view = await get(`/api/monitoring/tracing/${traceId.toUpperCase()}`);
    expect(view).toMatchObject({
      status: 200,
      body: { traceId, complete: true, spanCount: 3, service: 'web' },
    });
    expect((await get(`/api/monitoring/tracing/${'0'.repeat(31)}1`)).status).toBe(404);
    const exported = await tracing.get(`/api/monitoring/tracing/${'cd'.repeat(16)}/export`);
    expect(exported.headers['content-type']).toBe('application/json');
    expect(tracesFromJson(exported.bytes.toString('utf8'))).toEqual(full);
    expect(tracesFromProtobuf(Buffer.from(tracesToProtobuf(full)))).toEqual(full);
  });

  it('are counted, with who calls whom', async () => {
    const { body } = await get('/api/monitoring/tracing/stats?operation=GET%20/cart');
    expect(body).toMatchObject({
      ...{
        from: '2026-05-04T09:30:00.000Z',
        to: '2026-05-04T10:35:00.000Z',
        complete: true,
        relativeError: 0.01,
      },
      services: [{ service: 'web', count: 1, errors: 0 }],
      operations: [{ service: 'web', operation: 'GET /cart', kind: 'server', count: 1, errorRate: 0 }],
      dependencies: [{ parent: 'web', child: 'shop', count: 1, errors: 1, errorRate: 1 }],
    });
    const { operations } = body as { operations: { p99Ms: number }[] };
    expect(Math.abs((operations[0]?.p99Ms ?? 0) / 250 - 1)).toBeLessThanOrEqual(0.01);
  });

  it('have new ids on request', async () => {
    const { body } = await get('/api/monitoring/tracing/generate-id');
    const { traceId: id, spanId, traceparent } = body as Record<string, string>;
    expect(traceparent).toBe(`00-${id}-${spanId}-01`);
    expect(traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  });
});

describe('what Grafana’s Jaeger data source calls', () => {
  it('lists services and operations', async () => {
    expect((await get('/jaeger/api/services')).body).toEqual({
      ...{ data: ['all', 'shop', 'web'], total: 3, limit: 0, offset: 0, errors: null },
    });
    const { body } = await get('/jaeger/api/services/web/operations');
    expect(body).toMatchObject({ data: ['GET /cart', 'GET /health', 'call'] });
    expect((await get('/jaeger/api/operations?service=web&spanKind=client')).body).toMatchObject({
      data: [{ name: 'call', spanKind: 'client' }],
    });
  });

  it('searches with times in microseconds and tags in JSON', async () => {
    const query = new URLSearchParams({
      ...{
        service: 'web',
        operation: 'GET /cart',
        tags: '{"http.method":"GET"}',
        minDuration: '100ms',
        limit: '20',
      },
      ...{ start: String((base - 3_600_000) * 1_000), end: String(now * 1_000) },
    });
    const { status, body } = await get(`/jaeger/api/traces?${query}`);
    expect(status).toBe(200);
    expect(body).toMatchObject({ data: [{ traceID: traceId, spans: [{}, {}, {}] }], errors: null });
    const none = await get(
      '/jaeger/api/traces?service=shop&tags=%7B%22error%22%3A%22false%22%7D&lookback=1h',
    );
    expect(none.body).toMatchObject({ data: [] });
  });

  it('shows a trace with processes, references, logs and typed tags', async () => {
    const { body } = await get(`/jaeger/api/traces/${traceId}?start=1&end=2`);
    expect(body).toMatchObject({
      data: [
        {
          processes: {
            p1: { serviceName: 'web', tags: [] },
            p2: { serviceName: 'shop', tags: [{ key: 'host.name' }] },
          },
          spans: [
            {
              operationName: 'GET /cart',
              startTime: base * 1_000,
              duration: 250_000,
              references: [],
              processID: 'p1',
            },
            { spanID: spanIdOf('b') },
            {
              references: [{ refType: 'CHILD_OF', traceID: traceId, spanID: spanIdOf('b') }],
              tags: expect.arrayContaining([
                { key: 'span.kind', type: 'string', value: 'server' },
                { key: 'error', type: 'bool', value: true },
              ]),
            },
          ],
          warnings: null,
        },
      ],
    });
    const all = (await get(`/jaeger/api/traces/${'cd'.repeat(16)}`)).body as { data: { spans: object[] }[] };
    expect(all.data[0]?.spans[0]).toMatchObject({
      references: [{ refType: 'CHILD_OF' }, { refType: 'FOLLOWS_FROM', traceID: traceId }],
      logs: [{ timestamp: base * 1_000, fields: [{ key: 'event', value: 'exception' }] }],
      tags: expect.arrayContaining([{ key: 'v2', type: 'int64', value: '-9007199254740993' }]),
    });
  });

  it('shows who calls whom', async () => {
    const { body } = await get(`/jaeger/api/dependencies?endTs=${now}&lookback=3600000`);
    expect(body).toMatchObject({ data: [{ parent: 'web', child: 'shop', callCount: 1 }], errors: null });
  });

  it('gets errors in Jaeger’s form', async () => {
    const missing = await get(`/jaeger/api/traces/${'9'.repeat(32)}`);
    expect(missing).toEqual({
      status: 404,
      body: { data: null, total: 0, limit: 0, offset: 0, errors: [{ code: 404, msg: 'trace not found' }] },
    });
    const wrong = await get('/jaeger/api/traces?service=web&minDuration=soon');
    expect(wrong).toMatchObject({ status: 400, body: { errors: [{ code: 400, msg: /minDuration/ }] } });
    expect((await get('/jaeger/api/traces?service=web&tags=%5B')).status).toBe(400);
  });
});

describe('what Grafana’s Tempo data source calls', () => {
  const protobuf = { accept: 'application/protobuf' };

  it('answers the test of the data source', async () => {
    const { status, bytes, headers } = await tracing.get('/tempo/api/echo');
    expect([status, bytes.toString(), headers['content-type']]).toEqual([
      200,
      'echo',
      'text/plain; charset=utf-8',
    ]);
    expect((await get('/tempo/api/status/buildinfo')).body).toMatchObject({ version: expect.any(String) });
  });

  it('gives a trace in protobuf, of both versions', async () => {
    const one = await tracing.get(`/tempo/api/traces/${'cd'.repeat(16)}`, protobuf);
    expect(one.headers['content-type']).toBe('application/protobuf');
    expect(tracesFromProtobuf(one.bytes)).toEqual(full);
    const two = await tracing.get(`/tempo/api/v2/traces/${'cd'.repeat(16)}?start=1&end=2`, protobuf);
    const reader = new WireReader(two.bytes);
    expect(reader.next() && reader.is(1, 2)).toBe(true);
    const outer = reader.enter();
    expect(outer).toBe(two.bytes.length);
    const trace = two.bytes.subarray(two.bytes.length - one.bytes.length);
    expect(tracesFromProtobuf(trace)).toEqual(full);
  });

  it('gives it in JSON as Tempo does where that is asked for', async () => {
    const { body } = await get(`/tempo/api/v2/traces/${traceId}`);
    const span = { traceId: Buffer.from(traceId, 'hex').toString('base64'), kind: 'SPAN_KIND_SERVER' };
    const spans = expect.arrayContaining([expect.objectContaining(span)]);
    expect(body).toMatchObject({
      trace: {
        resourceSpans: expect.arrayContaining([expect.objectContaining({ scopeSpans: [{ spans }] })]),
      },
    });
    expect((await get(`/tempo/api/traces/${traceId}`)).body).toMatchObject({ batches: [{}, {}] });
  });

  it('packs large traces, and says of what is larger still that it is a part', async () => {
    const id = 'ef'.repeat(16);
    const noise = (index: number) => Buffer.alloc(2_100, `${index} ${Math.sin(index)} `).toString('base64');
    const large = Array.from({ length: 1_800 }, (_, index) => ({
      ...{ id: (index + 1).toString(16).padStart(16, '0'), from: index, to: index + 1, service: 'big' },
      tags: { noise: noise(index) },
    }));
    await tracing.put(spansOf(large, base, id));
    const packed = await tracing.get(`/tempo/api/v2/traces/${id}`, {
      ...protobuf,
      'accept-encoding': 'gzip',
    });
    expect(packed.headers['content-encoding']).toBe('gzip');
    expect(gunzipSync(packed.bytes).length).toBeGreaterThan(4_500_000);
    const part = await tracing.get(`/tempo/api/v2/traces/${id}`, protobuf);
    expect(part.bytes.length).toBeLessThan(4_500_000);
    expect(part.bytes.subarray(-200).toString()).toMatch(/more spans than the 900 earliest/);
    const first = await tracing.get(`/tempo/api/traces/${id}`, protobuf);
    expect([first.status, first.bytes.toString()]).toEqual([422, expect.stringMatching(/too large/)]);
  });

  it('searches by TraceQL and by tags', async () => {
    const q = encodeURIComponent(
      '{ resource.service.name = "web" && span.http.method = "GET" && duration > 100ms }',
    );
    const { status, body } = await get(
      `/tempo/api/search?q=${q}&limit=20&spss=3&start=${base / 1_000 - 60}&end=${now / 1_000}`,
    );
    expect([status, body]).toMatchObject([
      200,
      {
        traces: [
          {
            ...{ traceID: traceId, rootServiceName: 'web', rootTraceName: 'GET /cart', durationMs: 250 },
            startTimeUnixNano: String(BigInt(base) * 1_000_000n),
            spanSets: [
              {
                matched: 1,
                spans: [
                  {
                    ...{ spanID: spanIdOf('a'), durationNanos: '250000000', name: 'GET /cart' },
                    attributes: [
                      { key: 'service.name' },
                      { key: 'http.method', value: { stringValue: 'GET' } },
                    ],
                  },
                ],
              },
            ],
            serviceStats: { shop: { spanCount: 1, errorCount: 1 } },
          },
        ],
      },
    ]);
    const tags = encodeURIComponent('service.name="shop" status=error');
    expect((await get(`/tempo/api/search?tags=${tags}&minDuration=100ms`)).body).toMatchObject({
      traces: [{ traceID: traceId }],
    });
  });

  it('lists names and values of attributes, with names encoded as Grafana does', async () => {
    const scopes = (await get('/tempo/api/v2/search/tags?limit=5000')).body;
    expect(scopes).toMatchObject({
      scopes: [
        { name: 'resource', tags: ['host.name', 'service.name'] },
        { name: 'span', tags: expect.arrayContaining(['http.method']) },
        { name: 'intrinsic', tags: expect.arrayContaining(['duration', 'status']) },
      ],
    });
    expect((await get('/tempo/api/search/tags')).body).toMatchObject({
      tagNames: expect.arrayContaining(['http.method', 'service.name']),
    });
    const values = async (tag: string, query = '') =>
      (await get(`/tempo/api/v2/search/tag/${encodeURIComponent(encodeURIComponent(tag))}/values${query}`))
        .body;
    expect(await values('resource.service.name')).toMatchObject({
      tagValues: expect.arrayContaining([{ type: 'string', value: 'shop' }]),
    });
    expect(
      await values('span.http.method', `?q=${encodeURIComponent('{ name = "GET /cart" }')}`),
    ).toMatchObject({
      tagValues: [{ type: 'string', value: 'GET' }],
    });
    expect(await values('span.http.method', `?q=${encodeURIComponent('{ name = "call" }')}`)).toMatchObject({
      tagValues: [],
    });
    expect(await values('span.http.method', `?q=${encodeURIComponent('{ name = ')}`)).toMatchObject({
      tagValues: [{}],
    });
    expect(await values('name')).toMatchObject({
      tagValues: expect.arrayContaining([{ type: 'string', value: 'order' }]),
    });
    expect(await values('status')).toMatchObject({ tagValues: [{ type: 'keyword', value: 'error' }] });
    expect((await get('/tempo/api/search/tag/service.name/values')).body).toMatchObject({
      tagValues: expect.arrayContaining(['web']),
    });
  });

  it('gets errors as text, also of queries that are not served', async () => {
    const q = encodeURIComponent('{ } | rate()');
    const refused = await tracing.get(`/tempo/api/search?q=${q}`);
    expect([refused.status, refused.headers['content-type']]).toEqual([400, 'text/plain; charset=utf-8']);
    expect(refused.bytes.toString()).toMatch(/^q: at 5: only one set of spans/);
    const missing = await tracing.get(`/tempo/api/v2/traces/${'9'.repeat(32)}`, protobuf);
    expect([missing.status, missing.bytes.toString()]).toEqual([404, 'trace not found']);
  });
});
