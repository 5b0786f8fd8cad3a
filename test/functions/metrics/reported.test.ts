import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { JsonMetricsSerializer, ProtobufMetricsSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import fc from 'fast-check';
import { exposition } from '../../../functions/metrics/exposition/text.ts';
import { reportedFamilies } from '../../../functions/metrics/reported/families.ts';
import { reportedFigures } from '../../../functions/metrics/reported/figures.ts';
import { ingestMetrics } from '../../../functions/metrics/reported/ingest-metrics.ts';
import { ReportKeeper } from '../../../functions/metrics/reported/keep-reports.ts';
import { gaugeMs, maximumPoints, reportedLimits } from '../../../functions/metrics/reported/limits.ts';
import { labelsOf, metricName } from '../../../functions/metrics/reported/names.ts';
import { ReportedStore } from '../../../functions/metrics/reported/reported-store.ts';
import { applyPoint, type Series } from '../../../functions/metrics/reported/series.ts';
import { DependencyError } from '../../../functions/shared/dependency.ts';
import { startDynamo, type TestDynamo } from '../shared/dynamodb.ts';

jest.setTimeout(60_000);

const begin = Date.parse('2026-11-22T10:00:00Z');
let dynamo: TestDynamo;
let tables = 0;
const names = Array.from({ length: 12 }, (_, index) => `monitoring-${index}`);
beforeAll(async () => {
  dynamo = await startDynamo(...names);
});
afterAll(() => dynamo?.stop());

const nano = (ms: number) => `${ms}000000`;
const attribute = ([key, stringValue]: [string, string]) => ({ key, value: { stringValue } });

interface Sent {
  readonly service?: string;
  readonly instance?: string;
  readonly unit?: string;
}

/** What a service sends of one metric, in JSON. */
const requestOf = (
  name: string,
  data: object,
  { service = 'shop', instance = 'a', unit = '' }: Sent = {},
) => ({
  resourceMetrics: [
    {
      resource: {
        attributes: [
          ['service.name', service] as [string, string],
          ['service.instance.id', instance] as [string, string],
        ].map(attribute),
      },
      scopeMetrics: [{ metrics: [{ name, unit, description: 'Told by the shop.', ...data }] }],
    },
  ],
});
const point = (ms: number, value: number, labels: Record<string, string> = {}, start = begin) => ({
  attributes: Object.entries(labels).map(attribute),
  ...{ startTimeUnixNano: nano(start), timeUnixNano: nano(ms), asInt: String(value) },
});
const sum = (dataPoints: object[], isMonotonic = true, aggregationTemporality = 2) => ({
  sum: { dataPoints, isMonotonic, aggregationTemporality },
});

/** A table of its own. */
class World {
  now = begin + 60_000;
  readonly store = new ReportedStore(dynamo.client, names[tables++ % names.length] ?? '', () => this.now);
  readonly counted: Record<string, number> = {};
  newKeeper = () => new ReportKeeper(this.store, () => this.now);
  readonly keeper = this.newKeeper();

  async send(body: object | Uint8Array, type = 'application/json', encoding?: string, keeper = this.keeper) {
    const bytes = body instanceof Uint8Array ? body : Buffer.from(JSON.stringify(body));
    const answer = await ingestMetrics(
      { body: bytes, contentType: type, contentEncoding: encoding },
      {
        ...{ keeper, now: this.now },
        metrics: { addMetric: (name, _, value) => (this.counted[name] = (this.counted[name] ?? 0) + value) },
      },
    );
    return Buffer.from(answer.body).toString();
  }

  text = async () => exposition(reportedFamilies(await this.store.all(), this.now), 'prometheus');
}

describe('cumulative sums', () => {
  const steps = fc.array(fc.tuple(fc.nat(9), fc.nat(9)), { minLength: 1, maxLength: 5 });
  it('come to the sum of all runs and never fall, however reports of restarting senders are mixed, repeated and reordered', () => {
    fc.assert(
      fc.property(
        fc.array(steps, { minLength: 1, maxLength: 6 }),
        fc.infiniteStream(fc.nat()),
        fc.boolean(),
        (runs, picks, histogram) => {
          const reports = runs.flatMap((of, run) => {
            let values = histogram ? [0, 0, 0] : [0];
            return of.map(([one, two], index) => {
              values = values.map((value, at) => value + ([one, two, one + two][at % 3] ?? 0));
              return { run: `run-${run}`, start: run + 1, end: 10 + index, values };
            });
          });
          // Each once in any order, and as many again.
          const order = [...reports, ...reports].map((report) => ({ report, by: picks.next().value ?? 0 }));
          order.sort((one, two) => one.by - two.by);
          const all: Record<string, Series> = {};
          let before = [0];
          for (const { report } of order) {
            applyPoint(
              all,
              { labels: {}, delta: false, ...report },
              { kind: histogram ? 'histogram' : 'counter', now: begin, ...reportedLimits },
            );
            const total = Object.values(all)[0]?.total ?? [];
            expect(total.every((value, index) => value >= (before[index] ?? 0))).toBe(true);
            before = total;
          }
          const last = (run: number) =>
            reports.findLast((report) => report.run === `run-${run}`)?.values ?? [];
          expect(before).toEqual(
            before.map((_, index) => runs.reduce((added, _run, run) => added + (last(run)[index] ?? 0), 0)),
          );
        },
      ),
    );
  });

  it('count what begins anew without saying so, and a run that may have been forgotten only from where it is', () => {
    const all: Record<string, Series> = {};
    const tell = (run: string, end: number, value: number, now = begin) =>
      applyPoint(
        all,
        { labels: {}, run, delta: false, start: 1, end, values: [value] },
        { kind: 'counter', now, series: 10, runs: 2 },
      );
    tell('a', 10, 5);
    tell('a', 11, 2);
    tell('b', 10, 1);
    expect(tell('c', 10, 1)).toBe('full');
    const later = begin + 2 * 3_600_000;
    expect(tell('c', 10, 100, later)).toBe('changed');
    expect(tell('c', 11, 103, later)).toBe('changed');
    expect(Object.values(all)[0]?.total).toEqual([5 + 2 + 1 + 3]);
  });
});

it('Deltas are added once each, in whatever order the latest come', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.integer({ min: 1, max: 8 }), fc.constantFrom('a', 'b'))), (told) => {
      const all: Record<string, Series> = {};
      for (const [end, run] of told) {
        applyPoint(
          all,
          { labels: {}, run, delta: true, start: 0, end, values: [end] },
          { kind: 'counter', now: begin, ...reportedLimits },
        );
      }
      const distinct = new Set(told.map(([end, run]) => `${run} ${end}`));
      const expected = [...distinct].reduce((added, each) => added + Number(each.split(' ')[1]), 0);
      expect(Object.values(all)[0]?.total[0] ?? 0).toBe(expected);
    }),
  );
});

describe('what services report', () => {
  it('is the same from OpenTelemetry’s own serializers, in protobuf and JSON, packed or not, and is shown to Prometheus', async () => {
    const world = new World();
    const seconds = (ms: number): [number, number] => [Math.floor(ms / 1000), 0];
    const times = { startTime: seconds(begin), endTime: seconds(begin + 30_000) };
    const attributes = { tenant_id: 't"1', status: 'ok' };
    const described = { description: 'Deployments.', unit: '', valueType: 0, advice: {} };
    const bucketed = { description: 'Builds.', unit: 's', valueType: 1, advice: {} };
    const histogram = { buckets: { boundaries: [0.5, 2], counts: [1, 2, 1] }, count: 4, sum: 7.5 };
    const request = {
      resource: resourceFromAttributes({ 'service.name': 'deployer', 'service.instance.id': 'x' }),
      scopeMetrics: [
        {
          scope: { name: 'business' },
          metrics: [
            {
              ...{ descriptor: { ...described, name: 'deployments.total' }, aggregationTemporality: 1 },
              ...{ dataPointType: 3 as const, isMonotonic: true },
              dataPoints: [{ ...times, attributes, value: 3 }],
            },
            {
              ...{ descriptor: { ...bucketed, name: 'build.duration' }, aggregationTemporality: 1 },
              dataPointType: 0 as const,
              dataPoints: [{ ...times, attributes: {}, value: histogram }],
            },
          ],
        },
      ],
    };
    const protobuf = ProtobufMetricsSerializer.serializeRequest(request) ?? new Uint8Array();
    const json = JsonMetricsSerializer.serializeRequest(request) ?? new Uint8Array();
    expect(await world.send(protobuf, 'application/x-protobuf')).toBe('');
    const first = await world.store.all();
    expect(await world.send(gzipSync(json), 'application/json', 'gzip')).toBe('{}');
    expect(await world.store.all()).toEqual(first);
    expect(world.counted).toEqual({ DataPointsTaken: 4, DataPointsRejected: 0 });
    expect(await world.text()).toContain(
      [
        '# HELP build_duration_seconds Builds.',
        '# TYPE build_duration_seconds histogram',
        'build_duration_seconds_bucket{service="deployer",le="0.5"} 1',
        'build_duration_seconds_bucket{service="deployer",le="2"} 3',
        'build_duration_seconds_bucket{service="deployer",le="+Inf"} 4',
        'build_duration_seconds_sum{service="deployer"} 7.5',
        'build_duration_seconds_count{service="deployer"} 4',
        '# HELP deployments_total Deployments.',
        '# TYPE deployments_total counter',
        'deployments_total{service="deployer",status="ok",tenant_id="t\\"1"} 3',
      ].join('\n'),
    );
    expect(reportedFigures(first, world.now).map(({ name, series }) => [name, series[0]?.value])).toEqual([
      ['build_duration_seconds', 7.5],
      ['deployments_total', 3],
    ]);
  });

  it('adds up over instances that report at the same time', async () => {
    const world = new World();
    await Promise.all(
      Array.from({ length: 6 }, (_, index) =>
        world.send(
          requestOf('jobs', sum([point(begin + 1, index + 1)]), { instance: `i-${index}` }),
          'application/json',
          undefined,
          world.newKeeper(),
        ),
      ),
    );
    expect(await world.text()).toContain('jobs_total{service="shop"} 21\n');
  });

  it('is shown as a gauge while it is fresh: the latest value, or what instances have together', async () => {
    const world = new World();
    const gauge = (ms: number, value: number) =>
      requestOf('active_users', { gauge: { dataPoints: [point(ms, value)] } });
    await world.send(gauge(begin + 20, 7));
    await world.send(gauge(begin + 10, 5));
    for (const instance of ['a', 'b']) {
      await world.send(requestOf('open_carts', sum([point(begin + 20, 2)], false), { instance }));
    }
    expect(await world.text()).toContain('active_users{service="shop"} 7\n');
    expect(await world.text()).toContain('open_carts{service="shop"} 4\n');
    world.now += gaugeMs + 1;
    expect(await world.text()).not.toMatch(/active_users|open_carts/);
    expect(reportedFigures(await world.store.all(), world.now)[0]?.series).toEqual([]);
  });

  it('is rejected with the reason where it cannot be kept; the rest is kept', async () => {
    const world = new World();
    const at = begin + 10;
    await world.send(requestOf('jobs', sum([point(at, 1)])));
    const long = 'x'.repeat(300);
    const cases: [object, RegExp][] = [
      [requestOf('a', { summary: { dataPoints: [{}, {}] } }), /"2".*of a kind that is not taken/],
      [requestOf('a', { exponentialHistogram: { dataPoints: [{}] } }), /of a kind that is not taken/],
      [requestOf('a', sum([point(at, 1)], false, 1)), /of a kind that is not taken/],
      [requestOf('mainstay.requests', sum([point(at, 1)])), /begins with mainstay_/],
      [requestOf('...', sum([point(at, 1)])), /without a name/],
      [requestOf('jobs', { gauge: { dataPoints: [point(at, 1)] } }, { service: 'other' }), /another kind/],
      [requestOf('jobs_total', { gauge: { dataPoints: [point(at, 1)] } }), /another kind/],
      [requestOf('a', sum([point(at, -1)])), /without a time or a finite value/],
      [requestOf('a', sum([point(0, 1)])), /without a time/],
      [requestOf('a', sum([point(at, 1, { label: long })])), /a value of more than 256/],
      [requestOf('a', sum([point(begin + 3_600_000, 1)])), /ahead of this clock/],
      [requestOf('a', { gauge: { dataPoints: [point(begin - 3_600_000, 1)] } }), /minutes old/],
    ];
    for (const [request, said] of cases) expect(await world.send(request)).toMatch(said);
    expect(await world.send(requestOf('jobs', sum([point(at + 1, 2), point(at + 1, -2)])))).toContain(
      '"rejectedDataPoints":"1"',
    );
    expect(await world.text()).toContain('jobs_total{service="shop"} 2\n');
    expect(await world.store.heads()).toHaveLength(1);
  });

  it('has bounds, beyond which what is known still counts', async () => {
    const world = new World();
    const series = (count: number, ms: number, value: number) =>
      Array.from({ length: count }, (_, index) => point(ms, value, { id: String(index) }));
    const { series: most } = reportedLimits;
    expect(await world.send(requestOf('jobs', sum(series(most + 5, begin + 1, 1))))).toContain(
      '"rejectedDataPoints":"5"',
    );
    await world.send(requestOf('jobs', sum(series(most, begin + 2, 2))));
    expect(await world.text()).toContain('jobs_total{service="shop",id="0"} 2\n');
    for (let metric = 1; metric < reportedLimits.metricsOfService; metric += 1) {
      expect(await world.send(requestOf(`m${metric}`, sum([point(begin + 1, 1)])))).toBe('{}');
    }
    // Asks anew which there are.
    world.now += 120_000;
    expect(await world.send(requestOf('one_more', sum([point(begin + 1, 1)])))).toMatch(
      /metrics of a service/,
    );
  });

  it('is refused as a whole where it is no request, too large, or cannot be stored', async () => {
    const world = new World();
    await expect(world.send({ resourceMetrics: 1 })).rejects.toMatchObject({ kind: 'invalid-request' });
    await expect(world.send(new Uint8Array([0xff]), 'application/x-protobuf')).rejects.toMatchObject({
      kind: 'invalid-request',
    });
    const many = Array.from({ length: maximumPoints + 1 }, () => ({}));
    await expect(world.send(requestOf('a', sum(many)))).rejects.toMatchObject({ kind: 'payload-too-large' });
    const keep = () => Promise.reject(new DependencyError('no'));
    const options = { keeper: { keep }, metrics: { addMetric: () => 0 }, now: begin };
    const request = { body: new Uint8Array(), contentType: undefined, contentEncoding: undefined };
    await expect(ingestMetrics(request, options)).rejects.toMatchObject({
      ...{ kind: 'not-available', headers: { 'retry-after': '5' } },
    });
  });
});

it.each([
  ['deployments_total', '1', 'counter', 'deployments'],
  ['http.server.request.duration', 's', 'histogram', 'http_server_request_duration_seconds'],
  ['process.memory', 'By', 'gauge', 'process_memory_bytes'],
  ['queue.used', '1', 'gauge', 'queue_used_ratio'],
  ['network', 'By/s', 'gauge', 'network_bytes_per_second'],
  ['active_users', '{user}', 'gauge', 'active_users'],
  ['2xx', '', 'counter', '_2xx'],
  ['wait_seconds', 's', 'gauge', 'wait_seconds'],
] as const)('The metric %s in %s, a %s, is named %s', (name, unit, kind, expected) => {
  expect(metricName(name, unit, kind)).toBe(expected);
});

it('Attributes become labels that Prometheus takes', () => {
  const given: [string, string][] = [
    ['tenant.id', 'a'],
    ['tenant_id', 'b'],
    ['service', 's'],
    ['1st', 'x'],
    ['__name__', 'y'],
  ];
  expect(labelsOf(given.map(attribute))).toEqual({
    ...{ _name_: 'y', exported_service: 's', key_1st: 'x', tenant_id: 'a;b' },
  });
});
