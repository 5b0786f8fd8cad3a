import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { parseEmf } from '../../../local/cloudwatch/emf.ts';
import { MetricJournal } from '../../../local/cloudwatch/metric-journal.ts';
import { MetricSeries } from '../../../local/cloudwatch/metric-series.ts';
import { Metrics } from '../../../local/cloudwatch/metrics.ts';
import { waitFor } from '../../support/wait-for.ts';
import { VirtualClock } from '../scheduler/virtual-clock.ts';

const start = Date.parse('2026-11-20T10:00:00Z');
const seconds = start / 1000;
const identity = { namespace: 'Mainstay', name: 'Chunks', dimensions: { service: 'recovery' } };
const emf = (values: unknown, more: Record<string, unknown> = {}) =>
  JSON.stringify({
    _aws: {
      Timestamp: start,
      CloudWatchMetrics: [
        {
          Namespace: 'Mainstay',
          Dimensions: [['service'], ['service', 'environment'], []],
          Metrics: [{ Name: 'Chunks', Unit: 'Count' }, { Name: 'Missing' }],
        },
      ],
    },
    service: 'recovery',
    environment: 'dev',
    Chunks: values,
    ...more,
  });

let directory: string;
let clock: VirtualClock;
let metrics: Metrics;
const create = () => new Metrics({ directory, clock });
const sums = (from: number, period: number, count: number) =>
  metrics.periods(identity, from, period, count).map((points) => points?.sum);

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'metrics-'));
  clock = new VirtualClock(start);
  metrics = create();
  await metrics.start();
});
afterEach(async () => {
  await metrics.stop();
  rmSync(directory, { recursive: true, force: true });
});

describe('the embedded metric format', () => {
  it('gives a metric per set of dimensions', () => {
    expect(parseEmf(emf([1, 2]))).toEqual(
      [{ service: 'recovery' }, { service: 'recovery', environment: 'dev' }, {}].map((dimensions) => ({
        namespace: 'Mainstay',
        name: 'Chunks',
        dimensions,
        values: [1, 2],
        unit: 'Count',
        timestamp: start,
      })),
    );
  });

  it.each([
    ['a plain line', 'START RequestId'],
    ['another JSON line', '{"level":"INFO"}'],
    ['broken JSON', `${emf(1).slice(0, -1)}`],
    ['a directive of another shape', '{"_aws":{"CloudWatchMetrics":{}}}'],
    ['a value that is no number', emf('many')],
    ['too many values', emf(Array(101).fill(1))],
  ])('gives nothing for %s', (_, line) => {
    expect(parseEmf(line)).toEqual([]);
  });

  it('leaves out a set of dimensions that the line does not have', () => {
    const line = emf(1, { environment: undefined });
    expect(parseEmf(line).map(({ dimensions }) => dimensions)).toEqual([{ service: 'recovery' }, {}]);
  });
});

describe('metrics', () => {
  it('are aggregated by period', async () => {
    metrics.ingestLogLine('f', emf([1, 2]));
    await clock.advance(90_000);
    metrics.record({ ...identity, values: [10], counts: [3], timestamp: clock.now() });
    expect(sums(seconds, 60, 3)).toEqual([3, 30, undefined]);
    expect(sums(seconds, 300, 1)).toEqual([33]);
    expect(metrics.periods(identity, seconds, 300, 1)[0]?.count).toBe(5);
    expect(metrics.list()).toContainEqual(identity);
    expect(metrics.unitOf(identity)).toBe('Count');
  });

  it('of high resolution have points of seconds', () => {
    metrics.record({ ...identity, values: [1], timestamp: start + 1000, highResolution: true });
    metrics.record({ ...identity, values: [2], timestamp: start + 7000, highResolution: true });
    expect(sums(seconds, 5, 2)).toEqual([1, 2]);
    expect(sums(seconds, 1, 3)).toEqual([undefined, 1, undefined]);
  });

  it('take values from two weeks ago to two hours ahead', () => {
    const at = (timestamp: number) => metrics.record({ ...identity, values: [1], timestamp });
    const hour = 3_600_000;
    expect([
      at(start - 13 * 24 * hour),
      at(start - 15 * 24 * hour),
      at(start + hour),
      at(start + 3 * hour),
    ]).toEqual([true, false, true, false]);
    expect(metrics.record({ ...identity, values: [Number.NaN], timestamp: start })).toBe(false);
  });

  it('keep coarser points for longer', async () => {
    metrics.record({ ...identity, values: [5], timestamp: start });
    await metrics.stop();
    await clock.advance(30 * 3_600_000);
    expect(sums(seconds, 3600, 2)).toEqual([5, undefined]);
    expect(sums(seconds - 1800, 3600, 1)).toEqual([5]);
    await metrics.start();
    expect(metrics.list()).toEqual([identity]);
  });

  it('are bounded: the one written least recently goes', () => {
    const small = new Metrics({ directory, clock, keptMetrics: 2 });
    const named = (name: string) => ({ ...identity, name, values: [1], timestamp: start });
    for (const name of ['a', 'b', 'a', 'c']) small.record(named(name));
    expect(small.list().map(({ name }) => name)).toEqual(['a', 'c']);
  });
});

describe('metrics on disk', () => {
  it('survive a kill up to the last second', async () => {
    metrics.ingestLogLine('f', emf([1, 2]));
    await clock.advance(1500);
    // The clock is ours, the disk is not.
    await waitFor(() => journalText().endsWith('\n'), { what: 'the line to be on disk' });
    metrics.record({ ...identity, values: [100], timestamp: start });
    const killed = metrics;
    metrics = create();
    await metrics.start();
    expect(sums(seconds, 60, 1)).toEqual([3]);
    await killed.stop();
  });

  function journalText(): string {
    const journal = readdirSync(directory).find((file) => file.endsWith('.jsonl'));
    return journal === undefined ? '' : readFileSync(join(directory, journal), 'utf8');
  }

  it('survive a stop completely, and a line that was cut off', async () => {
    metrics.ingestLogLine('f', emf([1, 2]));
    await metrics.stop();
    const [journal] = readdirSync(directory).filter((file) => file.endsWith('.jsonl'));
    appendFileSync(join(directory, journal ?? ''), '{"namespace":"Main');
    metrics = create();
    await metrics.start();
    expect(sums(seconds, 60, 1)).toEqual([3]);
  });

  it('are folded into a snapshot that counts nothing twice, and stay small', async () => {
    const path = join(directory, 'folded');
    const series = new MetricSeries(identity);
    const journal = new MetricJournal(path, 2000);
    for (let round = 0; round < 100; round += 1) {
      const datum = { ...identity, values: [round], timestamp: start };
      series.record(datum);
      journal.append(datum);
      await journal.flush(() => [series]);
    }
    const sizes = readdirSync(path).map((file) => statSync(join(path, file)).size);
    expect(Math.max(...sizes)).toBeLessThan(10_000);
    const loaded = await new MetricJournal(path).load();
    const [restored] = loaded.series;
    for (const datum of loaded.since) restored?.record(datum);
    expect(loaded.since.length).toBeLessThan(30);
    expect(restored?.periods(seconds, 60, 1, seconds)[0]).toMatchObject({ sum: 4950, count: 100 });
  });
});
