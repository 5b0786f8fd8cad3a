import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CloudWatchClient, type GetMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { CloudMetrics } from '../../../functions/metrics/cloud/cloud-metrics.ts';
import { type CloudReading, CloudStore } from '../../../functions/metrics/cloud/cloud-store.ts';
import {
  cloudFamilies,
  cloudFamilyNames,
  familiesOfCloud,
} from '../../../functions/metrics/cloud/families.ts';
import { capabilityFigures } from '../../../functions/metrics/cloud/figures.ts';
import { ofShards, own } from '../../../functions/metrics/cloud/own-metrics.ts';
import { type CloudQuery, cloudQueries } from '../../../functions/metrics/cloud/queries.ts';
import { readCloud } from '../../../functions/metrics/cloud/read-cloud.ts';
import { startDynamo, type TestDynamo } from '../shared/dynamodb.ts';

const minute = 60_000;
const period = 5 * minute;
const start = Date.parse('2026-11-22T10:00:00Z');
let dynamo: TestDynamo;
beforeAll(async () => {
  dynamo = await startDynamo('monitoring');
});
afterAll(() => dynamo?.stop());

const queries: CloudQuery[] = [
  {
    ...{ family: 'mainstay_backups', labels: { outcome: 'completed' }, namespace: 'Mainstay/test' },
    ...{ metric: 'BackupsCompleted', dimensions: { service: 'recovery' }, statistic: 'Sum' },
  },
  {
    ...{ family: 'mainstay_database_size_bytes', labels: { shard: 'one' }, namespace: 'Mainstay/test' },
    ...{ metric: 'DatabaseSizeBytes', dimensions: { shard: 'one', service: 'shards' }, statistic: 'Maximum' },
  },
  {
    ...{ family: 'mainstay_drill_rto_seconds', labels: {}, namespace: 'Mainstay/test', scale: 0.001 },
    ...{ metric: 'DrillRto', dimensions: { service: 'recovery' }, statistic: 'Maximum' },
  },
];

/** What a store does, in memory; a write can be made to fail. */
class MemoryStore {
  #reading: CloudReading = { upTo: 0, version: 0, series: [] };
  killed = false;

  read = async () => this.#reading;
  askedAt = async () => Number.POSITIVE_INFINITY;
  put = async (reading: CloudReading): Promise<boolean> => {
    if (this.killed) throw new Error('killed');
    if (reading.version !== this.#reading.version) return false;
    this.#reading = { ...reading, version: reading.version + 1 };
    return true;
  };
}

/** A store, and a CloudWatch with these values by metric and the start of their period, two of them on a page. */
class World<Store extends Pick<CloudStore, 'read' | 'put' | 'askedAt'>> {
  readonly store: Store;
  now = start;
  calls = 0;
  readonly values = new Map<string, Map<number, number>>();
  readonly client: CloudWatchClient = Object.create(CloudWatchClient.prototype, {
    send: { value: async (command: GetMetricDataCommand) => this.#answer(command.input) },
  });

  constructor(store: Store) {
    this.store = store;
  }

  put(metric: string, at: number, value: number): void {
    const of = this.values.get(metric) ?? new Map<number, number>();
    this.values.set(metric, of.set(at, value));
  }

  read = () => readCloud({ ...this, queries: async () => queries, now: () => this.now });

  async value(family: string): Promise<number | undefined> {
    return (await this.store.read()).series.find((each) => each.family === family)?.value;
  }

  #answer({ StartTime, EndTime, NextToken = '0', MetricDataQueries = [] }: GetMetricDataCommand['input']) {
    this.calls += 1;
    const skip = Number(NextToken);
    const results = MetricDataQueries.map(({ Id, MetricStat }) => {
      const points = [...(this.values.get(MetricStat?.Metric?.MetricName ?? '') ?? [])]
        .filter(([at]) => at >= Number(StartTime) && at < Number(EndTime))
        .sort(([one], [two]) => one - two);
      const page = points.slice(skip, skip + 2);
      return {
        left: points.length > skip + 2,
        result: {
          Id,
          Timestamps: page.map(([at]) => new Date(at)),
          Values: page.map(([, value]) => value),
        },
      };
    });
    return {
      MetricDataResults: results.map(({ result }) => result),
      NextToken: results.some(({ left }) => left) ? String(skip + 2) : undefined,
    };
  }
}

describe('what only CloudWatch has', () => {
  it('is read while somebody asks, and not again before a period has ended', async () => {
    const world = new World(new CloudStore(dynamo.client, 'monitoring'));
    expect(await world.read()).toEqual({ outcome: 'unasked', metrics: 0 });
    const cloud = new CloudMetrics(world.store, () => world.now);
    const log = { warn: () => undefined };
    expect((await cloud.get(log)).series).toEqual([]);
    world.put('BackupsCompleted', start - period * 2, 7);
    world.put('DatabaseSizeBytes', start - period * 3, 10);
    world.put('DatabaseSizeBytes', start - period * 2, 20);
    world.put('DrillRto', start - period * 2, 1_500);
    const both = await Promise.all([world.read(), world.read()]);
    expect(both.map(({ outcome }) => outcome).sort()).toEqual(['overtaken', 'read']);
    world.now += minute;
    expect((await world.read()).outcome).toBe('too-early');
    expect(world.calls).toBe(2);
    // What was before counting began is not counted; gauges have a past.
    expect([
      await world.value('mainstay_backups'),
      await world.value('mainstay_database_size_bytes'),
    ]).toEqual([0, 20]);
    const { series } = await cloud.get(log);
    expect(capabilityFigures(series).map(({ name }) => name)).toContain('mainstay_backups_total');
    expect(familiesOfCloud(series, world.now).map(({ name }) => name)).toEqual([
      'mainstay_backups',
      'mainstay_drill_rto_seconds',
      'mainstay_database_size_bytes',
    ]);
    // Of something that happens now and then, the latest value stays; what is measured all the time goes.
    expect(familiesOfCloud(series, world.now + 3_600_000).map(({ name }) => name)).toEqual([
      'mainstay_backups',
      'mainstay_drill_rto_seconds',
    ]);
    world.now += 3_600_000;
    expect((await world.read()).outcome).toBe('unasked');
  });

  it('is counted once, whenever it is read, by two at once, and by functions that are killed', async () => {
    const step = fc.record({
      waits: fc.integer({ min: 1, max: 90 }),
      happened: fc.nat(5),
      how: fc.constantFrom('once', 'twice', 'killed'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (steps) => {
        const world = new World(new MemoryStore());
        await world.read();
        let expected = 0;
        let last = 0;
        for (const { waits, happened, how } of steps) {
          const at = Math.floor(world.now / period) * period;
          world.put('BackupsCompleted', at, (world.values.get('BackupsCompleted')?.get(at) ?? 0) + happened);
          // It was said before the period ended, and read of after it has: as CloudWatch has it.
          expected += happened;
          world.now = at + period + waits * minute;
          world.store.killed = how === 'killed';
          await Promise.allSettled([world.read(), ...(how === 'twice' ? [world.read()] : [])]);
          world.store.killed = false;
          const value = (await world.value('mainstay_backups')) ?? 0;
          expect(value).toBeGreaterThanOrEqual(last);
          last = value;
        }
        world.now += 3 * period;
        await world.read();
        expect(await world.value('mainstay_backups')).toBe(expected);
      }),
      { numRuns: 100 },
    );
  });
});

describe('the metrics that are asked for', () => {
  const sources = {
    ...{ namespace: 'Mainstay/test', api: 'api', deadLetters: 'dead', workflowsOf: 'arn:' },
    ...{ tables: { audit: 'A' }, workflows: { backup: 'B' } },
  };
  const all = cloudQueries(sources, [{ name: 'one', clusterIdentifier: 'c1' }]);

  it('are of every family, each series once, and sums where they are counted', () => {
    expect(new Set(all.map(({ family }) => family))).toEqual(new Set(cloudFamilyNames));
    expect(new Set(all.map(({ family, labels }) => JSON.stringify([family, labels]))).size).toBe(all.length);
    for (const { family, statistic } of all) {
      expect(`${family} ${statistic === 'Sum'}`).toBe(
        `${family} ${cloudFamilies[family].type === 'counter'}`,
      );
    }
  });

  it('are those that capabilities publish', () => {
    const functions = join(import.meta.dirname, '../../../functions');
    const textOf = (capability: string) =>
      readdirSync(join(functions, capability), { recursive: true, encoding: 'utf8' })
        .filter((path) => path.endsWith('.ts') && !path.startsWith('cloud/'))
        .map((path) => readFileSync(join(functions, capability, path), 'utf8'))
        .join('\n');
    const texts = new Map([...own, ...ofShards].map(({ capability }) => [capability, textOf(capability)]));
    const unpublished = [...own, ...ofShards].filter(
      ({ capability, metric }) => !new RegExp(`'${metric}'|\\b${metric}:`).test(texts.get(capability) ?? ''),
    );
    expect(unpublished).toEqual([]);
  });
});
