import { gzipSync } from 'node:zlib';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { maximumSentBytes } from '../../functions/tracing/ingest/limits.ts';
import { SpanStore } from '../../functions/tracing/store/span-store.ts';
import { ofService, span } from '../functions/tracing/spans.ts';
import { awsConfig, createKey, tableNamed } from './support/aws.ts';
import { sharedPlatform } from './support/shared-platform.ts';

describe('POST /v1/traces, as senders use it', () => {
  let url: string;
  let key: string;
  let store: SpanStore;
  beforeAll(async () => {
    const local = await sharedPlatform();
    url = `${local.baseUrl}/v1/traces`;
    key = await createKey(local, ['ingest', 'tracing:read']);
    const client = DynamoDBDocumentClient.from(new DynamoDBClient(awsConfig(local)));
    const table = await tableNamed(local, 'Tracing');
    store = new SpanStore({ client, table, retentionDays: 7, now: Date.now });
  });
  const post = async (body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string>) => {
    const authorization = `Bearer ${key}`;
    return fetch(url, { method: 'POST', body, headers: { authorization, ...headers } });
  };
  const json = { 'content-type': 'application/json' };

  it('stores what OpenTelemetry’s own SDK and exporter send', async () => {
    const provider = new TracerProvider({
      resource: resourceFromAttributes({ 'service.name': 'e2e-shop' }),
      spanProcessors: [
        new BatchSpanProcessor({
          exporter: new OTLPTraceExporter({ url, headers: { authorization: `Bearer ${key}` } }),
        }),
      ],
    });
    const tracer = provider.getTracer('test', '1.0.0');
    const root = tracer.startSpan('GET /cart', { kind: SpanKind.SERVER, root: true });
    const within = trace.setSpan(ROOT_CONTEXT, root);
    const child = tracer.startSpan('SELECT cart', { attributes: { rows: 3, cached: false } }, within);
    child.addEvent('retried', { attempt: 2 });
    child.setStatus({ code: SpanStatusCode.ERROR, message: 'timeout' });
    child.end();
    root.end();
    await provider.forceFlush();

    const { traceId, spanId } = root.spanContext();
    const { spans } = await store.spansOf(traceId);
    expect(spans.map((item) => item.span.name).sort()).toEqual(['GET /cart', 'SELECT cart']);
    expect(spans.find((item) => item.span.name === 'SELECT cart')).toMatchObject({
      ...{ service: 'e2e-shop', scope: { name: 'test', version: '1.0.0' } },
      span: {
        ...{ parentSpanId: spanId, status: { code: 2, message: 'timeout' } },
        attributes: expect.arrayContaining([{ key: 'rows', value: { intValue: '3' } }]),
        events: [{ name: 'retried' }],
      },
    });
    await provider.shutdown();

    // What is exported is an OTLP request: this receiver takes it, too, and has the same as before.
    const exported = async () => {
      const route = `${new URL(url).origin}/api/monitoring/tracing/${traceId}/export`;
      return (await fetch(route, { headers: { authorization: `Bearer ${key}` } })).text();
    };
    const text = await exported();
    const taken = await post(text, json);
    expect([taken.status, await taken.json()]).toEqual([200, {}]);
    expect(await exported()).toBe(text);
  });

  it('answers JSON in JSON, says what it has not taken, and takes the same again', async () => {
    const traceId = 'e2e0'.repeat(8).replaceAll('2', 'a');
    const old = span({ traceId, startMs: Date.now() - 30 * 86_400_000 });
    const good = span({ traceId, startMs: Date.now() });
    const body = gzipSync(JSON.stringify({ resourceSpans: [ofService('e2e-json', old, good)] }));
    for (let time = 0; time < 2; time += 1) {
      const response = await post(body, { ...json, 'content-encoding': 'gzip' });
      expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/json']);
      expect(await response.json()).toMatchObject({ partialSuccess: { rejectedSpans: '1' } });
    }
    expect((await store.spansOf(traceId)).spans.map((item) => item.span.spanId)).toEqual([good.spanId]);
  });

  it('says in the encoding of the request what will never be accepted', async () => {
    const protobuf = { 'content-type': 'application/x-protobuf' };
    const broken = await post(Buffer.from([0x0a, 0x7f]), protobuf);
    expect([broken.status, broken.headers.get('content-type')]).toEqual([400, 'application/x-protobuf']);
    expect(Buffer.from(await broken.arrayBuffer()).subarray(0, 3)).toEqual(Buffer.from([0x08, 3, 0x12]));
    const large = await post(Buffer.alloc(maximumSentBytes + 1), protobuf);
    expect(large.status).toBe(413);
    const refused = await post('{}', { ...json, authorization: 'Bearer nobody' });
    expect([refused.status, await refused.json()]).toEqual([401, { code: 16, message: expect.any(String) }]);
    const other = await post('hello', { 'content-type': 'text/plain' });
    expect([other.status, Object(await other.json()).code]).toEqual([415, 3]);
  });
});
