import { describe, expect, it } from '@jest/globals';
import { type AlarmEvent, alarmEventSchema, shardOfAlarm } from '../../../functions/failover/alarm-event.ts';
import { decide } from '../../../functions/failover/decision.ts';
import type { DecisionInput } from '../../../functions/failover/decision-model.ts';
import { failoverEventSchema } from '../../../functions/failover/events.ts';
import type { Examination, InstanceFinding } from '../../../functions/failover/examination.ts';
import type { ProbeRecord } from '../../../functions/failover/model.ts';
import { observe } from '../../../functions/failover/observe.ts';
import { complete } from '../../../functions/failover/operation-record.ts';
import { policyOf } from '../../../functions/failover/policy.ts';
import { newRecord, type Operation } from '../../../functions/failover/record.ts';
import { policy } from './support/world.ts';

const at = '2026-11-21T00:00:00.000Z';
const now = Date.parse(at);
const minutes = (count: number) => new Date(now + count * 60_000).toISOString();

const standby = (
  instance: string,
  receivedLsn: string,
  more: Partial<InstanceFinding> = {},
): InstanceFinding => ({
  ...{ instance, reachable: true, heard: true, role: 'standby', readOnly: false, streaming: false },
  ...{ receivedLsn, replayedLsn: receivedLsn, sharedStorage: false },
  ...more,
});
const silent = (instance: string, heard = true): InstanceFinding => ({
  ...{ instance, reachable: false, heard, sharedStorage: false },
});

/** The writer `a` is down; `b` lacks 0x10 bytes of what it was known to have, `c` 0x20. */
function situation(
  more: Partial<DecisionInput> & { writer?: Partial<Examination['writer']>; found?: InstanceFinding[] } = {},
) {
  const { writer, found = [silent('a'), standby('c', '0/FE0'), standby('b', '0/FF0')], ...rest } = more;
  const address = (id: string, port: number) => ({ id, host: 'db', port, status: 'unknown' });
  const input: DecisionInput = {
    record: newRecord('main', at),
    probe: {
      ...{
        shard: 'main',
        at,
        ok: false,
        consecutiveFailures: 3,
        firstFailureAt: minutes(-2),
        writerLsn: '0/1000',
      },
      ...{ writerInstance: 'a', otherWriters: [], fenced: [], readers: [], cutOff: false, changes: [] },
    },
    shard: { epoch: 4, writer: { host: 'db', port: 1 } },
    instances: {
      ...{ shard: 'main', at, engine: 'self-managed' },
      instances: [
        { ...address('a', 1), role: 'writer' },
        { ...address('b', 2), role: 'reader' },
        { ...address('c', 3), role: 'reader' },
      ],
    },
    examination: { at, writer: { answers: false, heard: true, ...writer }, instances: found },
    request: { kind: 'failover', trigger: 'alarm' },
    policy: policyOf(policy, 'main'),
    now,
    ...rest,
  };
  return decide(input);
}
const asked = (more: Partial<DecisionInput['request']> = {}) => ({
  request: { kind: 'failover' as const, trigger: 'request' as const, ...more },
});

describe('what is decided about a writer that does not serve', () => {
  it('is what lags least, by id where that is even, with the lag that is known', () => {
    expect(situation()).toMatchObject({
      kind: 'act',
      target: { instance: 'b', port: 2 },
      writer: { port: 2 },
      lagBytes: 16,
    });
    expect(situation({ found: [silent('a'), standby('c', '0/2000'), standby('b', '0/1000')] })).toMatchObject(
      {
        target: { instance: 'b' },
        lagBytes: 0,
      },
    );
    const shared = { sharedStorage: true };
    const aurora = [silent('a'), standby('c', '0/0', shared), standby('b', '0/FF0')];
    expect(situation({ found: aurora })).toMatchObject({ target: { instance: 'c' }, lagBytes: 0 });
  });

  it('keeps an address that follows the writer, and names an instance where the map named one', () => {
    const cluster = { ...policyOf(policy, 'main'), action: 'cluster' as const };
    const shard = { epoch: 4, writer: { host: 'cluster.example', port: 5432 } };
    expect(situation({ policy: cluster, shard })).toMatchObject({ action: 'cluster', writer: shard.writer });
    expect(situation({ policy: cluster })).toMatchObject({
      action: 'cluster',
      writer: { host: 'db', port: 2 },
    });
  });

  it('waits for a re-check, unless it is refused without', () => {
    expect(decideWithout({})).toEqual({ kind: 'examine' });
    const paused = { since: at, by: 'key', reason: 'maintenance' };
    const record = newRecord('main', at);
    expect(decideWithout({ record: { ...record, paused } })).toMatchObject({ code: 'paused', hold: false });
    expect(decideWithout({ record: { ...record, cooldownUntil: minutes(1) } })).toMatchObject({
      code: 'cooldown',
    });
    expect(decideWithout({ record: { ...record, state: 'failing_over' } })).toMatchObject({
      code: 'in-progress',
    });
    expect(decideWithout({ policy: { ...policyOf(policy, 'main'), automatic: false } })).toMatchObject({
      code: 'not-automatic',
    });
    expect(decideWithout({ policy: { ...policyOf(policy, 'main'), action: 'observe' } })).toMatchObject({
      code: 'observe-only',
    });
    // An operator is held up by none of what holds for what happens by itself.
    expect(decideWithout({ record: { ...record, paused, cooldownUntil: minutes(1) }, ...asked() })).toEqual({
      kind: 'examine',
    });
  });

  it.each([
    ['writer-answers', false, { writer: { answers: true } }],
    ['cut-off', true, { writer: { heard: false }, found: ['a', 'b', 'c'].map((id) => silent(id, false)) }],
    ['no-candidate', true, { found: [silent('a'), silent('b'), silent('c')] }],
    ['lag-too-high', true, { found: [silent('a'), standby('b', '0/10')] }],
    ['lag-unknown', true, { probe: undefined }],
    ['second-writer', true, { found: [silent('a'), standby('b', '0/FF0', { role: 'primary' })] }],
    ['unknown-target', true, asked({ target: 'z' })],
    ['unfit-target', true, asked({ target: 'a' })],
    ['writer-does-not-answer', false, asked({ kind: 'switchover' })],
  ])('refuses with %s', (code, hold, more) => {
    expect(situation(more)).toMatchObject({ kind: 'nothing', code, hold });
  });

  it('takes a loss that was accepted, and no byte more', () => {
    const found = [silent('a'), standby('b', '0/10')];
    const lag = 0x1000 - 0x10;
    expect(situation({ found, ...asked({ acceptedLoss: lag - 1 }) })).toMatchObject({
      code: 'lag-too-high',
      lagBytes: lag,
    });
    expect(situation({ found, ...asked({ acceptedLoss: lag }) })).toMatchObject({
      kind: 'act',
      lagBytes: lag,
    });
    expect(situation({ ...asked({ acceptedLoss: 0 }) })).toMatchObject({
      code: 'lag-too-high',
      lagBytes: 16,
    });
    expect(situation({ probe: undefined, ...asked({ acceptedLoss: 'any' }) })).toMatchObject({
      kind: 'act',
      lagBytes: null,
    });
  });

  it('holds a writer that comes and goes, and acts when an operator asks', () => {
    const changes = Array.from({ length: 6 }, (_, index) => minutes(-index));
    const probe = { ...situationProbe, changes };
    expect(situation({ probe })).toMatchObject({ code: 'flapping', hold: true });
    expect(situation({ probe, ...asked() })).toMatchObject({ kind: 'act' });
    expect(situation({ probe: { ...probe, changes: changes.map(() => minutes(-11)) } })).toMatchObject({
      kind: 'act',
    });
  });

  it('goes on with what it has promoted itself, and three times at most', () => {
    const found = [silent('a'), standby('b', '0/FF0'), standby('c', '0/FE0', { role: 'primary' })];
    const record = { ...newRecord('main', at), state: 'held' as const, operation };
    expect(situation({ found, record })).toMatchObject({ kind: 'act', target: { instance: 'c' } });
    const attempts = { epoch: 4, count: 3, automatic: 3 };
    expect(situation({ found, record: { ...record, attempts } })).toMatchObject({
      code: 'attempts-exhausted',
      hold: true,
    });
    expect(situation({ found, record: { ...record, attempts }, ...asked() })).toMatchObject({ kind: 'act' });
    // What it was about to do of an epoch that is over says nothing.
    expect(
      situation({ found, record: { ...record, operation: { ...operation, fromEpoch: 3 } } }),
    ).toMatchObject({
      code: 'second-writer',
    });
  });

  it('switches over to a replica that streams, and counts nothing as lost', () => {
    const writer = { answers: true, lsn: '0/1000' };
    const found = [
      { ...standby('a', '0/1000'), role: 'primary' as const },
      standby('b', '0/1000'),
      standby('c', '0/FE0', { streaming: true }),
    ];
    expect(situation({ writer, found, ...asked({ kind: 'switchover' }) })).toMatchObject({
      ...{ kind: 'act', target: { instance: 'c' }, lagBytes: 0 },
    });
    expect(situation({ writer, found: found.slice(0, 2), ...asked({ kind: 'switchover' }) })).toMatchObject({
      ...{ code: 'no-candidate', hold: false },
    });
  });
});

describe('what is decided about a global database', () => {
  const member = (region: string, port: number) => ({
    instance: `arn:aws:rds:${region}:123456789012:cluster:platform`,
    ...{ host: 'db', port },
  });
  const [here, there] = [member('us-east-1', 1), member('eu-west-1', 9)];
  const global = { writer: here, others: [there] };
  const dead = { policy: { ...policyOf(policy, 'main'), action: 'global' as const }, global };
  const accepted = asked({ acceptedLoss: 'any' });
  const record = newRecord('main', at);

  it('is never anything by itself: nobody here knows what would be lost', () => {
    expect(situation(dead)).toMatchObject({ code: 'lag-unknown', hold: true });
    expect(situation({ ...dead, ...asked() })).toMatchObject({ code: 'lag-unknown' });
    expect(situation({ ...dead, ...accepted })).toMatchObject({
      ...{ kind: 'act', action: 'global', target: there, writer: { host: 'db', port: 9 }, lagBytes: null },
    });
    expect(situation({ ...dead, ...asked({ acceptedLoss: 'any', target: 'platform' }) })).toMatchObject({
      code: 'unknown-target',
    });
  });

  it('is what an operator asks for also when the region is silent as a whole', () => {
    const silence = { ...dead, writer: { heard: false }, found: ['a', 'b'].map((id) => silent(id, false)) };
    expect(situation(silence)).toMatchObject({ code: 'cut-off', hold: true });
    expect(situation({ ...silence, ...accepted })).toMatchObject({ kind: 'act', target: there });
  });

  it('is to follow when RDS has moved the writes, whoever asked RDS, and whatever is found here', () => {
    const after = { ...dead, global: { writer: there, others: [here] } };
    const expected = {
      kind: 'act',
      target: there,
      moved: true,
      writer: { host: 'db', port: 9 },
      lagBytes: null,
    };
    expect(situation(after)).toMatchObject(expected);
    expect(
      situation({ ...after, found: [silent('b'), standby('a', '0/1', { role: 'primary' })] }),
    ).toMatchObject(expected);
    const started = { ...operation, action: 'global' as const, target: there };
    expect(situation({ ...after, record: { ...record, state: 'held', operation: started } })).toMatchObject({
      ...{ kind: 'act', moved: true, lagBytes: 7 },
    });
    const attempts = { epoch: 4, count: 3, automatic: 3 };
    expect(situation({ ...after, record: { ...record, attempts } })).toMatchObject({
      code: 'attempts-exhausted',
    });
    // An address that does answer is no matter of who writes elsewhere.
    expect(situation({ ...after, writer: { answers: true } })).toMatchObject({ code: 'writer-answers' });
    // One whose region does not say so has not moved.
    expect(situation({ ...dead, global: { writer: undefined, others: [there] } })).toMatchObject({
      code: 'lag-unknown',
    });
  });

  it('leaves it to the next probe which instance of the new cluster writes', () => {
    const moment = { now, traceparent: operation.traceparent };
    const acting = {
      ...{ ...record, state: 'failing_over' as const, knownWriter: { instance: 'a', epoch: 4 } },
      operation: { ...operation, action: 'global' as const, target: there },
    };
    const done = complete(acting, { firstWriteAt: at }, policy, moment);
    expect(done).toMatchObject({ state: 'failed_over', last: { target: there.instance } });
    expect(done.knownWriter).toBeUndefined();
    const seen = (probe: Partial<ProbeRecord>) =>
      observe(
        { ...done, version: 1 },
        { ...situationProbe, ok: true, at: minutes(2), ...probe },
        { epoch: 5 },
        policyOf(policy, 'main'),
        { ...moment, now: now + 150_000 },
      ).knownWriter;
    expect(seen({ writerInstance: undefined })).toBeUndefined();
    expect(seen({ writerInstance: 'there-1' })).toEqual({ instance: 'there-1', epoch: 5 });
  });
});

describe('what the failover function takes', () => {
  const prefix = 'arn:aws:cloudwatch:eu-central-1:123456789012:alarm:mainstay-dev-writer-down-';
  const event = {
    source: 'aws.cloudwatch',
    alarmArn: `${prefix}shard-a`,
    accountId: '123456789012',
    time: '2026-11-21T00:00:00.000+0000',
    region: 'eu-central-1',
    alarmData: {
      alarmName: 'mainstay-dev-writer-down-shard-a',
      state: {
        value: 'ALARM',
        reason: 'Threshold Crossed',
        reasonData: '{}',
        timestamp: '2026-11-21T00:00:00.000+0000',
      },
      previousState: { value: 'OK', reason: '', timestamp: '2026-11-20T00:00:00.000+0000' },
      configuration: {
        metrics: [
          {
            id: 'm1',
            metricStat: {
              metric: {
                namespace: 'Mainstay/dev',
                name: 'WriterProbeFailed',
                dimensions: { service: 'failover', shard: 'shard-a' },
              },
              period: 30,
              stat: 'Minimum',
            },
            returnData: true,
          },
        ],
      },
    },
  };

  it('is an alarm as CloudWatch sends it, the clock, or a command', () => {
    expect(shardOfAlarm(alarmEventSchema.parse(event), prefix)).toBe('shard-a');
    expect(failoverEventSchema.safeParse({ watchdog: true }).success).toBe(true);
    for (const other of [
      {},
      { ...event, source: 'aws.events' },
      { ...event, extra: 1 },
      { watchdog: false },
      'alarm',
    ]) {
      expect(failoverEventSchema.safeParse(other).success).toBe(false);
    }
  });

  it('is no alarm of another deployment, of another metric, or of another shard than its name says', () => {
    const changed = (change: (copy: typeof event) => void): AlarmEvent => {
      const copy = structuredClone(event);
      change(copy);
      return alarmEventSchema.parse(copy);
    };
    const wrong = [
      changed((copy) => {
        copy.alarmArn = copy.alarmArn.replace('mainstay-dev', 'mainstay-other');
        copy.alarmData.alarmName = 'mainstay-other-writer-down-shard-a';
      }),
      changed((copy) => {
        copy.alarmData.alarmName = 'something-else';
      }),
      ...(['name', 'dimensions'] as const).map((member) =>
        changed((copy) => {
          const metric = copy.alarmData.configuration.metrics[0]?.metricStat.metric;
          if (metric === undefined) return;
          if (member === 'name') metric.name = 'Other';
          else metric.dimensions.shard = 'shard-b';
        }),
      ),
    ];
    for (const alarm of wrong) expect(() => shardOfAlarm(alarm, prefix)).toThrow();
  });
});

describe('a probe from before a failover was done', () => {
  it('says nothing of the shard as it is now', () => {
    const done = { ...newRecord('main', minutes(1)), version: 3, state: 'failed_over' as const };
    const look = (probedAt: string) =>
      observe(done, { ...situationProbe, at: probedAt }, { epoch: 5 }, policyOf(policy, 'main'), {
        now: now + 90_000,
        traceparent: operation.traceparent,
      }).state;
    expect(look(minutes(0.9))).toBe('failed_over');
    expect(look(minutes(1.4))).toBe('suspect');
  });
});

const situationProbe = {
  ...{
    shard: 'main',
    at,
    ok: false,
    consecutiveFailures: 3,
    firstFailureAt: minutes(-2),
    writerLsn: '0/1000',
  },
  ...{ writerInstance: 'a', otherWriters: [], fenced: [], readers: [], cutOff: false, changes: [] },
};

const operation: Operation = {
  ...{ name: 'main-5', kind: 'failover', trigger: 'alarm', reason: 'alarm', action: 'replica' },
  ...{ clusterIdentifier: 'adopted', database: 'platform', fromEpoch: 4, toEpoch: 5, lagBytes: 7 },
  from: { host: 'db', port: 1, instance: 'a' },
  target: { instance: 'c', host: 'db', port: 3 },
  writer: { host: 'db', port: 3 },
  ...{ writerReachable: false, detectedAt: at, decidedAt: at },
  traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
};

function decideWithout(more: Partial<DecisionInput>) {
  return situation({ ...more, examination: undefined });
}
