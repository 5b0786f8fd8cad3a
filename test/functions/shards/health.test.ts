import { describe, expect, it } from '@jest/globals';
import type { DatabaseInstance } from '../../../functions/failover/model.ts';
import type { Answer, Ask } from '../../../functions/failover/probing/ask.ts';
import { figuresOf } from '../../../functions/shards/health/health-metrics.ts';
import { judgeShard } from '../../../functions/shards/health/judge-shard.ts';
import type { Found, Measured } from '../../../functions/shards/health/look.ts';
import { lookAtAll } from '../../../functions/shards/health/look-at-all.ts';
import type { Load, ShardHealth } from '../../../functions/shards/health/model.ts';
import { HealthReports } from '../../../functions/shards/health/report.ts';
import { DependencyError } from '../../../functions/shared/dependency.ts';
import { settings } from './health-samples.ts';

const at = new Date('2026-11-22T02:00:00Z');
const subject = { name: 'shard-a', writer: { host: 'writer.example', port: 5432 } };
const instance = (id: string, role: 'writer' | 'reader'): DatabaseInstance => ({
  ...{ id, role, host: `${id}.example`, port: 5432, status: 'available' },
});
const load: Load = {
  connections: { used: 10, usable: 97, active: 1, idleInTransaction: 0 },
  longTransactions: { count: 0, oldestSeconds: 0 },
  blockedQueries: { count: 0, longestSeconds: 0 },
  cacheHitRatio: 0.99,
  databaseSizeBytes: 8_000_000,
  wraparound: { ageTransactions: 1_000, usedShare: 0 },
};
const measured = (started: string, replica: boolean, more: Partial<Measured> = {}): Answer<Measured> => ({
  heard: true,
  durationMs: 5,
  value: {
    identity: { started, replica, readOnly: false, aurora: false },
    ...(replica && { progress: { streaming: true, replayedLsn: '0/100', caughtUpSeconds: 0.1 } }),
    ...{ connectMs: 3, queryMs: 1, load },
    ...more,
  },
});
const failed = (code: string, reason = `connect: ${code}`): Answer<Measured> => ({
  ...{ heard: true, durationMs: 1, reason, code },
});
const found = (writer: Answer<Measured>, reader: Answer<Measured>): Found => ({
  writer,
  writerLsn: writer.value === undefined ? undefined : '0/180',
  instances: [
    { instance: instance('a', 'writer'), answer: writer },
    { instance: instance('b', 'reader'), answer: reader },
  ],
  durationMs: 7,
});
const [writer, reader] = [measured('1', false), measured('2', true)];
const judge = (of: Answer<Measured>, other: Answer<Measured>): ShardHealth =>
  judgeShard(subject, found(of, other), at, settings);

describe('the health of a shard', () => {
  it('is good where the writer writes and readers follow, with what they lack in bytes', () => {
    expect(judge(writer, reader)).toMatchObject({
      state: 'healthy',
      reasons: [],
      writer: { instance: 'a', role: 'writer' },
      readers: [{ instance: 'b', role: 'reader', lag: { bytes: 128, seconds: 0.1 } }],
    });
  });

  it.each([
    ['TIMEOUT', 'timeout', 'down'],
    ['ETIMEDOUT', 'timeout', 'down'],
    ['ENOTFOUND', 'unreachable', 'down'],
    ['ECONNREFUSED', 'refused', 'down'],
    ['57P03', 'starting', 'down'],
    ['28000', 'login-refused', 'degraded'],
    ['53300', 'too-many-connections', 'degraded'],
    ['42501', 'not-prepared', 'degraded'],
  ])('is told by what its writer answers: %s', (error, code, state) => {
    const health = judge(failed(error), reader);
    expect(health).toMatchObject({ state, reasons: [{ code, instance: 'a' }], writer: { reachable: false } });
    // The same of a reader leaves the shard serving.
    expect(judge(writer, failed(error))).toMatchObject({
      state: 'degraded',
      reasons: [{ code, instance: 'b' }],
    });
    expect(figuresOf(health)).toMatchObject({
      ShardDown: state === 'down' ? 1 : 0,
      InstancesUnhealthy: 1,
      ConnectionsUsedPercent: code === 'too-many-connections' ? 100 : 10,
    });
  });

  it('follows a failover that nobody has discovered yet, and names a second writer', () => {
    // The endpoint leads to b, which answers as the writer; a has come back as its reader.
    const moved = judgeShard(
      subject,
      {
        ...found(writer, reader),
        instances: [
          { instance: instance('a', 'writer'), answer: reader },
          { instance: instance('b', 'reader'), answer: writer },
        ],
      },
      at,
      settings,
    );
    expect(moved).toMatchObject({
      state: 'healthy',
      writer: { instance: 'b' },
      readers: [{ instance: 'a' }],
    });
    expect(judge(writer, measured('2', false)).reasons).toMatchObject([
      { code: 'wrong-role', instance: 'b' },
    ]);
  });

  it('gives a reason for each figure over its threshold', () => {
    const bad: Load = {
      ...load,
      connections: { used: 78, usable: 97, active: 70, idleInTransaction: 3 },
      longTransactions: { count: 1, oldestSeconds: 1_000 },
      blockedQueries: { count: 2, longestSeconds: 70 },
      wraparound: { ageTransactions: 2 ** 30, usedShare: 0.5 },
    };
    const late = { streaming: false, replayedLsn: '0/100', sinceReplay: 31 };
    const health = judge(
      measured('1', false, { load: bad }),
      measured('2', true, { load: bad, progress: late }),
    );
    expect(health.state).toBe('degraded');
    const codes = ['connections', 'long-transactions', 'blocked-queries'];
    expect(health.reasons.map(({ code, instance }) => `${instance} ${code}`)).toEqual([
      ...[...codes, 'wraparound'].map((code) => `a ${code}`),
      ...['not-streaming', 'replica-lag', ...codes].map((code) => `b ${code}`),
    ]);
    expect(figuresOf(health)).toMatchObject({
      InstancesUnhealthy: 1,
      BlockedQueries: 2,
      WraparoundPercent: 50,
    });
  });
});

describe('a look at all shards', () => {
  it('asks every instance of every shard before any has answered', async () => {
    const asked: string[] = [];
    const held = Promise.withResolvers<void>();
    const ask: Ask = async ({ host }) => {
      asked.push(host);
      await held.promise;
      return { heard: false, reason: 'connect: no answer', code: 'TIMEOUT', durationMs: 1 };
    };
    const shards = ['x', 'y', 'z'].map((name) => ({
      ...{ name, clusterIdentifier: name, resourceId: name, database: 'platform', epoch: 1 },
      ...{ writer: { host: `${name}.example`, port: 5432 }, state: 'active' as const },
    }));
    const known = [
      {
        shard: 'y',
        at: at.toISOString(),
        engine: 'cluster' as const,
        instances: [instance('y-2', 'reader')],
      },
    ];
    const clock = { date: () => at, now: () => 0 };
    const looking = lookAtAll({
      ...{ ask, settings, clock, shards: async () => shards, instances: async () => known },
    });
    await new Promise(setImmediate);
    expect(asked.sort()).toEqual(['x.example', 'y-2.example', 'y.example', 'z.example']);
    held.resolve();
    expect((await looking).map(({ state }) => state)).toEqual(['down', 'down', 'down']);
  });
});

describe('the answer about health', () => {
  const healthy = judge(writer, reader);
  const degraded: ShardHealth = { ...judge(writer, failed('TIMEOUT')), shard: 'shard-b' };
  const log = { warn: () => {} };

  it('is looked at once for all who ask within five seconds, and is the worst of the shards', async () => {
    let looks = 0;
    let time = 0;
    const reports = new HealthReports({
      look: async () => {
        looks++;
        return [healthy, degraded];
      },
      recorded: async () => [],
      now: () => time,
    });
    const [all, one] = await Promise.all([
      reports.report({}, log),
      reports.report({ shard: 'shard-a' }, log),
    ]);
    expect(all).toMatchObject({ state: 'degraded', source: 'live', shards: [healthy, degraded] });
    expect(one).toEqual({ state: 'healthy', source: 'live', shards: [healthy] });
    await expect(reports.report({ shard: 'other' }, log)).rejects.toMatchObject({ kind: 'not-found' });
    expect(looks).toBe(1);
    time = 5_000;
    await reports.report({}, log);
    expect(looks).toBe(2);
  });

  it('is what was recorded where nobody can look now, with its time; and none where nothing was', async () => {
    const recorded: ShardHealth[] = [];
    const reports = new HealthReports({
      look: async () => Promise.reject(new DependencyError('Lambda did not complete Invoke')),
      recorded: async () => recorded,
      now: () => 0,
    });
    await expect(reports.report({}, log)).rejects.toMatchObject({ kind: 'not-available' });
    recorded.push(healthy);
    expect(await reports.report({}, log)).toEqual({
      state: 'healthy',
      source: 'recorded',
      shards: [healthy],
    });
  });
});
