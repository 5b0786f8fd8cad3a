import { randomBytes } from 'node:crypto';
import { ScanCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DependencyError } from '../../../functions/shared/dependency.ts';
import { durationMsOf, msOfNano, type ResourceSpans } from '../../../functions/tracing/model.ts';
import { maximumData } from '../../../functions/tracing/store/keys.ts';
import { type FoundBlock, SpanBlocks, type TimeRange } from '../../../functions/tracing/store/span-blocks.ts';
import { SpanStore } from '../../../functions/tracing/store/span-store.ts';
import { startDynamo, type TestDynamo } from '../shared/dynamodb.ts';
import { nano, ofService, span, text } from './spans.ts';

const hour = 3_600_000;
const day = 24 * hour;
const start = Date.parse('2026-05-04T10:30:00Z');
let now = start;
const clock = () => now;

describe('the tracing table', () => {
  let dynamo: TestDynamo;
  let store: SpanStore;
  let blocks: SpanBlocks;
  beforeAll(async () => {
    dynamo = await startDynamo('tracing');
    const common = { client: dynamo.client, table: 'tracing', now: clock };
    store = new SpanStore({ ...common, retentionDays: 7 });
    blocks = new SpanBlocks(common);
  });
  afterAll(() => dynamo.stop());

  const everything = async () => {
    const { Items = [] } = await dynamo.client.send(new ScanCommand({ TableName: 'tracing' }));
    return Items.map((item) => JSON.stringify(item)).sort();
  };
  const found = async (service: string, range: TimeRange): Promise<FoundBlock[]> => {
    const all: FoundBlock[] = [];
    for (const partition of await blocks.partitions(service, range)) {
      for await (const block of blocks.blocks(partition, range)) all.push(block);
    }
    return all;
  };
  const spansFound = async (service: string, range: TimeRange) =>
    (await found(service, range)).flatMap(({ block }) =>
      Array.from({ length: block.length }, (_, index) => block.entry(index)),
    );

  it('gives back each span as it was, with its resource and scope', async () => {
    const traceId = '0'.repeat(31).concat('1');
    const root = span({ traceId, startMs: start, attributes: [text('http.route', '/'), text('a', 'ü')] });
    const child = span({ traceId, parentSpanId: root.spanId, startMs: start + 0.25, status: { code: 2 } });
    const batch: ResourceSpans[] = [
      {
        resource: { attributes: [text('service.name', 'shop'), text('host.name', 'h1')] },
        schemaUrl: 'https://example.com/resource',
        scopeSpans: [
          { scope: { name: 'http', version: '2' }, schemaUrl: 'https://example.com/scope', spans: [root] },
        ],
      },
      ofService('stock', child),
    ];
    await store.putSpans(batch);
    const { spans, complete } = await store.spansOf(traceId);
    expect(complete).toBe(true);
    expect(spans).toEqual([
      {
        ...{ span: root, service: 'shop', resource: batch[0]?.resource },
        ...{ scope: { name: 'http', version: '2' }, scopeSchemaUrl: 'https://example.com/scope' },
        resourceSchemaUrl: 'https://example.com/resource',
      },
      { span: child, service: 'stock', resource: batch[1]?.resource },
    ]);
    expect(await store.spansOf('f'.repeat(32))).toEqual({
      ...{ traceId: 'f'.repeat(32), spans: [], complete: true },
    });
  });

  it('is as before when the same spans are written again, by whichever process', async () => {
    const traceId = 'b'.repeat(32);
    const spans = [0, 1, 2].map((n) => span({ traceId, startMs: start + n }));
    await store.putSpans([ofService('twice', ...spans)]);
    const before = await everything();
    const common = { client: dynamo.client, table: 'tracing', retentionDays: 7 };
    await new SpanStore({ ...common, now: () => start + day }).putSpans([ofService('twice', ...spans)]);
    expect(await everything()).toEqual(before);
    // Packed otherwise they are other items, and the same trace.
    await store.putSpans([ofService('twice', ...spans.slice(0, 2))]);
    expect((await store.spansOf(traceId)).spans).toHaveLength(3);
  });

  it('finds the spans of a service by the hours they started in, latest first', async () => {
    const at = [start - 2 * hour, start - 1, start, start + 40 * 60_000];
    for (const startMs of at) {
      await store.putSpans([ofService('hours', span({ startMs }), span({ startMs: startMs + 0.5 }))]);
    }
    const starts = async (range: TimeRange) =>
      (await spansFound('hours', range)).map(({ startMs }) => startMs).sort();
    expect(await starts({ fromMs: start - day, toMs: start + day })).toHaveLength(8);
    expect(await starts({ fromMs: start, toMs: start + 1 })).toEqual([start, start + 0.5]);
    expect(await starts({ fromMs: start + 1, toMs: start + 2 })).toEqual([]);
    const partitions = await blocks.partitions('hours', { fromMs: 0, toMs: start + day });
    const hours = partitions.map(({ hour: of }) => of);
    expect(hours).toEqual([...hours].sort().reverse());
  });

  it('finds tags of spans and of their resources, and knows at once which a block has not', async () => {
    const tagged = span({
      ...{ startMs: start, name: 'tagged', durationMs: 0.000_5, status: { code: 2, message: 'no' } },
      attributes: [
        text('user', 'u1'),
        { key: 'count', value: { intValue: '42' } },
        { key: 'ok', value: { boolValue: false } },
        { key: 'list', value: { arrayValue: { values: [] } } },
        text('long', 'x'.repeat(1_000)),
      ],
    });
    await store.putSpans([ofService('tags', span({ startMs: start }), tagged)]);
    const [first] = await found('tags', { fromMs: start, toMs: start + 1 });
    const block = first?.block;
    const having = (key: string, value: string) => {
      const [of, is] = [block?.positionOf(key), block?.positionOf(value)];
      if (block === undefined || of === undefined || is === undefined) return 'not in the block';
      return [0, 1].filter((index) => block.hasTag(index, of, is));
    };
    expect(having('user', 'u1')).toEqual([1]);
    expect(having('count', '42')).toEqual([1]);
    expect(having('ok', 'false')).toEqual([1]);
    expect(having('user', '42')).toEqual([]);
    expect(having('user', 'u2')).toBe('not in the block');
    expect(having('service.name', 'tags')).toEqual([0, 1]);
    expect(block?.tags(1)).toEqual([
      ...[
        ['user', 'u1'],
        ['count', '42'],
        ['ok', 'false'],
        ['long', 'x'.repeat(256)],
      ],
      ['service.name', 'tags'],
    ]);
    expect(block?.entry(1)).toMatchObject({ operation: 'tagged', error: true, durationMs: 0.001 });
  });

  it('lists services and their operations by day', async () => {
    await store.putSpans([
      ofService('lists', span({ startMs: start, name: 'b' }), span({ startMs: start, name: 'a#b', kind: 3 })),
    ]);
    const today = { fromMs: start - hour, toMs: start + hour };
    expect(await blocks.services(today)).toContain('lists');
    expect(await blocks.services({ fromMs: start + day, toMs: start + 2 * day })).toEqual([]);
    expect(await blocks.operations('lists', today)).toEqual([
      { operation: 'a#b', kind: 3 },
      { operation: 'b', kind: 2 },
    ]);
  });

  it('takes a trace of 10 000 spans that hardly compress, in items of bounded size', async () => {
    const traceId = 'c'.repeat(32);
    const spans = Array.from({ length: 10_000 }, (_, n) =>
      span({ traceId, startMs: start + n, attributes: [text('noise', randomBytes(60).toString('hex'))] }),
    );
    await store.putSpans([ofService('large', ...spans)]);
    const trace = await store.spansOf(traceId);
    expect(new Set(trace.spans.map((item) => item.span.spanId)).size).toBe(10_000);
    const { Items = [] } = await dynamo.client.send(new ScanCommand({ TableName: 'tracing' }));
    for (const { data } of Items)
      if (data !== undefined) expect(data.length).toBeLessThanOrEqual(maximumData);
    const entries = await spansFound('large', { fromMs: start, toMs: start + day });
    expect(new Set(entries.map(({ spanId }) => spanId)).size).toBe(10_000);
  });

  it('shows nothing of what has ended, found or by id', async () => {
    const traceId = 'd'.repeat(32);
    await store.putSpans([ofService('ended', span({ traceId, startMs: start }))]);
    const range = { fromMs: start, toMs: start + 1 };
    const seen = async () => [
      (await found('ended', range)).length,
      (await store.spansOf(traceId)).spans.length,
    ];
    now = start + 7 * day;
    expect(await seen()).toEqual([1, 1]);
    now = start + 7 * day + hour;
    expect(await seen()).toEqual([0, 1]);
    now = start + 8 * day + hour;
    expect(await seen()).toEqual([0, 0]);
    now = start;
  });
});

describe('spans that DynamoDB leaves out', () => {
  it('are put again, and in the end are an error', async () => {
    const dynamo = await startDynamo('tracing');
    let calls = 0;
    let leftOut = 2;
    dynamo.client.middlewareStack.add(
      (next) => async (args) => {
        const result = await next(args);
        calls += 1;
        if (calls > leftOut) return result;
        const { RequestItems } = Object(args.input);
        return { ...result, output: { ...Object(result.output), UnprocessedItems: RequestItems } };
      },
      { step: 'initialize', priority: 'low' },
    );
    const pauses: number[] = [];
    const pause = async (ms: number) => pauses.push(ms);
    const common = { client: dynamo.client, table: 'tracing', pause };
    const store = new SpanStore({ ...common, retentionDays: 7, now: clock });
    await store.putSpans([ofService('left', span({ startMs: start }))]);
    expect(calls).toBe(3);
    leftOut = Number.POSITIVE_INFINITY;
    await expect(store.putSpans([ofService('left', span({ startMs: start }))])).rejects.toThrow(
      DependencyError,
    );
    expect(calls).toBe(9);
    expect(pauses).toHaveLength(7);
    await dynamo.stop();
  });
});

describe('times', () => {
  it('keep their nanoseconds where a number can', () => {
    expect(msOfNano('1700000000123456789')).toBeCloseTo(1_700_000_000_123.4568, 3);
    expect(msOfNano('5')).toBe(0.000_005);
    expect(durationMsOf(span({ startMs: start, endTimeUnixNano: `${nano(start).slice(0, -3)}001` }))).toBe(
      0.000_001,
    );
    expect(durationMsOf(span({ startMs: start, endTimeUnixNano: '0' }))).toBe(0);
  });
});
