import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CloudWatch } from '../../../local/cloudwatch/cloudwatch.ts';
import type { ServiceEvent } from '../../../local/events/event.ts';
import { VirtualClock } from '../scheduler/virtual-clock.ts';

const place = { region: 'us-east-1', accountId: '000000000000' } as const;
const topic = `arn:aws:sns:${place.region}:${place.accountId}:alarms`;
const alarmArn = (name: string) => `arn:aws:cloudwatch:${place.region}:${place.accountId}:alarm:${name}`;

let directory: string;
let clock: VirtualClock;
let sent: Record<string, unknown>[];
let events: ServiceEvent[];
let cloudWatch: CloudWatch;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'alarms-'));
  clock = new VirtualClock();
  sent = [];
  events = [];
  cloudWatch = new CloudWatch({
    ...{ ...place, directory, clock },
    deliver: async (_target, payload) => void sent.push(JSON.parse(String(payload))),
    putEvent: (event) => events.push(event),
  });
  await cloudWatch.start();
});
afterEach(async () => {
  await cloudWatch.stop();
  rmSync(directory, { recursive: true, force: true });
});

/** One that is raised by a minute with at least 1 of the metric of its name. */
const ensureAlarm = (AlarmName: string) =>
  cloudWatch.alarms.ensureAlarm({
    ...{ AlarmName, Namespace: 'Mainstay', MetricName: AlarmName, Statistic: 'Sum', Period: 60 },
    ...{ EvaluationPeriods: 1, Threshold: 1, ComparisonOperator: 'GreaterThanOrEqualToThreshold' },
    TreatMissingData: 'notBreaching',
  });
const record = (name: string) =>
  cloudWatch.metrics.record({
    ...{ namespace: 'Mainstay', name, dimensions: {}, values: [1], timestamp: clock.now() },
  });
const state = (name: string) =>
  cloudWatch.alarms.list().find(({ alarm }) => alarm.name === name)?.memory.current.value;
const call = async (operation: string, input: Record<string, unknown>) =>
  cloudWatch.api.operations[operation]?.run(input, {
    ...{
      ...place,
      principal: { kind: 'operator', arn: `arn:aws:iam::${place.accountId}:root` },
      requestId: 'r',
    },
  });

describe('a composite alarm', () => {
  const composite = (more: Record<string, unknown> = {}) => ({
    AlarmName: 'both',
    AlarmRule: `ALARM("failed") AND NOT OK("${alarmArn('slow')}")`,
    AlarmActions: [topic],
    OKActions: [topic],
    ...more,
  });
  const told = () => sent.filter(({ AlarmName }) => AlarmName === 'both');

  it('follows the alarms of its rule, and tells which one it followed', async () => {
    ensureAlarm('failed');
    ensureAlarm('slow');
    cloudWatch.alarms.ensureComposite(composite());
    record('failed');
    await clock.advance(60_000);
    expect([state('failed'), state('slow'), state('both')]).toEqual(['ALARM', 'OK', 'OK']);
    record('failed');
    record('slow');
    await clock.advance(60_000);
    expect([state('failed'), state('slow'), state('both')]).toEqual(['ALARM', 'ALARM', 'ALARM']);
    expect(told().at(-1)).toMatchObject({
      AlarmRule: composite().AlarmRule,
      NewStateValue: 'ALARM',
      TriggeringChildren: [{ Arn: alarmArn('slow'), State: { Value: 'ALARM' } }],
    });
    await clock.advance(10 * 60_000);
    expect(state('both')).toBe('OK');
    expect(told().map(({ NewStateValue }) => NewStateValue)).toEqual(['OK', 'ALARM', 'OK']);
    expect(events.at(-1)?.detail.configuration).toEqual({ alarmRule: composite().AlarmRule });
  });

  it('is described where composite alarms are asked for, and nowhere else', async () => {
    ensureAlarm('failed');
    cloudWatch.alarms.ensureComposite(composite({ AlarmRule: 'ALARM(failed)' }));
    await clock.advance(10_000);
    const ask = (operation: string, more: Record<string, unknown>) => call(operation, more);
    expect(await ask('DescribeAlarms', {})).toMatchObject({
      MetricAlarms: [{ AlarmName: 'failed' }],
      CompositeAlarms: [],
    });
    const AlarmTypes = ['CompositeAlarm'];
    expect(await ask('DescribeAlarms', { AlarmTypes })).toMatchObject({
      MetricAlarms: [],
      CompositeAlarms: [{ AlarmName: 'both', AlarmRule: 'ALARM(failed)', StateValue: 'OK' }],
    });
    expect(await ask('DescribeAlarmHistory', { AlarmTypes })).toMatchObject({
      AlarmHistoryItems: [{ AlarmName: 'both', AlarmType: 'CompositeAlarm' }],
    });
  });

  it.each([
    ['ALARM(a) OR ALARM(b) AND ALARM(c)', 'a', true],
    ['(ALARM(a) OR ALARM(b)) AND ALARM(c)', 'a', false],
    ['NOT (ALARM(a) OR FALSE)', 'b', true],
    ['NOT NOT ALARM("a") and TRUE', 'a', true],
    ['INSUFFICIENT_DATA(nobody)', 'a', true],
  ])('by the rule %s, while %s is raised: %s', async (AlarmRule, raised, expected) => {
    for (const name of ['a', 'b', 'c']) ensureAlarm(name);
    cloudWatch.alarms.ensureComposite(composite({ AlarmRule }));
    record(raised);
    await clock.advance(60_000);
    expect(state('both')).toBe(expected ? 'ALARM' : 'OK');
  });

  it.each(['ALARM(a', 'ALARM()', 'a', 'ALARM(a) ALARM(b)', 'AND ALARM(a)', 'ALARM(a) % OK(b)', ''])(
    'is refused with the rule %j',
    (AlarmRule) => {
      expect(() => cloudWatch.alarms.ensureComposite(composite({ AlarmRule }))).toThrow(
        /not valid|not supported/,
      );
    },
  );
});
