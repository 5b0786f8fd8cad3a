import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { OperationContext } from '../../../local/aws/operation.ts';
import type { AlarmTemplate } from '../../../local/cloudwatch/alarm-definition.ts';
import { CloudWatch } from '../../../local/cloudwatch/cloudwatch.ts';
import type { DeliveryOrigin } from '../../../local/events/delivery.ts';
import type { ServiceEvent } from '../../../local/events/event.ts';
import { VirtualClock } from '../scheduler/virtual-clock.ts';

const region = 'us-east-1';
const accountId = '000000000000';
const context: OperationContext = {
  principal: { kind: 'operator', arn: `arn:aws:iam::${accountId}:root` },
  region,
  accountId,
  requestId: 'r',
};
const topic = `arn:aws:sns:${region}:${accountId}:alarms`;
const action = `arn:aws:lambda:${region}:${accountId}:function:act`;
const alarmArn = (name: string) => `arn:aws:cloudwatch:${region}:${accountId}:alarm:${name}`;
const hour = 3_600_000;

let directory: string;
let clock: VirtualClock;
let deliveries: { target: string; payload: unknown; origin: DeliveryOrigin }[];
let events: ServiceEvent[];
let reports: string[];
let cloudWatch: CloudWatch;

function create(): CloudWatch {
  cloudWatch = new CloudWatch({
    directory,
    region,
    accountId,
    clock,
    deliver: async (target, payload, origin) => void deliveries.push({ target, payload, origin }),
    putEvent: (event) => events.push(event),
    report: (line) => void reports.push(line),
  });
  return cloudWatch;
}

const template = (more: Partial<AlarmTemplate> = {}): AlarmTemplate => ({
  AlarmName: 'failed',
  AlarmDescription: 'A backup failed.',
  Namespace: 'Mainstay',
  MetricName: 'Failed',
  Dimensions: [{ Name: 'environment', Value: 'dev' }],
  Statistic: 'Sum',
  Period: 60,
  EvaluationPeriods: 1,
  Threshold: 1,
  ComparisonOperator: 'GreaterThanOrEqualToThreshold',
  TreatMissingData: 'notBreaching',
  AlarmActions: [topic],
  OKActions: [topic],
  ...more,
});
const record = (value: number, name = 'Failed') =>
  cloudWatch.metrics.record({
    namespace: 'Mainstay',
    name,
    dimensions: { environment: 'dev' },
    values: [value],
    timestamp: clock.now(),
  });
const state = (name = 'failed') =>
  cloudWatch.alarms.list().find(({ alarm }) => alarm.name === name)?.memory.current.value;
const call = async (operation: string, input: Record<string, unknown>) =>
  cloudWatch.api.operations[operation]?.run(input, context);

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'alarms-'));
  clock = new VirtualClock();
  deliveries = [];
  events = [];
  reports = [];
  await create().start();
});
afterEach(async () => {
  await cloudWatch.stop();
  rmSync(directory, { recursive: true, force: true });
});

describe('an alarm', () => {
  it('is raised and ended by its metric, once each', async () => {
    cloudWatch.alarms.ensureAlarm(template());
    expect(state()).toBe('INSUFFICIENT_DATA');
    await clock.advance(10_000);
    expect(state()).toBe('OK');
    record(1);
    await clock.advance(60_000);
    expect(state()).toBe('ALARM');
    await clock.advance(10 * 60_000);
    expect(state()).toBe('OK');
    const values = deliveries.map(({ payload }) => JSON.parse(String(payload)).NewStateValue);
    expect(values).toEqual(['OK', 'ALARM', 'OK']);
    expect(events.map(({ detail }) => detail.alarmName)).toEqual(['failed', 'failed', 'failed']);
  });

  it('tells a topic what CloudWatch tells it', async () => {
    cloudWatch.alarms.ensureAlarm(template());
    record(2.5);
    await clock.advance(60_000);
    const sent = deliveries.at(-1);
    expect(sent?.origin).toEqual({
      service: 'cloudwatch.amazonaws.com',
      sourceArn: alarmArn('failed'),
      subject: 'ALARM: "failed" in US East (N. Virginia)',
    });
    expect(JSON.parse(String(sent?.payload))).toEqual({
      AlarmName: 'failed',
      AlarmDescription: 'A backup failed.',
      AWSAccountId: accountId,
      AlarmConfigurationUpdatedTimestamp: '2026-11-20T10:00:00.000+0000',
      NewStateValue: 'ALARM',
      NewStateReason:
        'Threshold Crossed: 1 out of the last 1 datapoint [2.5 (20/11/26 10:00:00)] was greater than or equal to ' +
        'the threshold (1.0) (minimum 1 datapoint for OK -> ALARM transition).',
      StateChangeTime: '2026-11-20T10:01:00.000+0000',
      Region: 'US East (N. Virginia)',
      AlarmArn: alarmArn('failed'),
      OldStateValue: 'OK',
      OKActions: [topic],
      AlarmActions: [topic],
      InsufficientDataActions: [],
      Trigger: {
        MetricName: 'Failed',
        Namespace: 'Mainstay',
        StatisticType: 'Statistic',
        Statistic: 'SUM',
        Unit: null,
        Dimensions: [{ value: 'dev', name: 'environment' }],
        Period: 60,
        EvaluationPeriods: 1,
        DatapointsToAlarm: 1,
        ComparisonOperator: 'GreaterThanOrEqualToThreshold',
        Threshold: 1,
        TreatMissingData: 'notBreaching',
        EvaluateLowSampleCountPercentile: '',
      },
    });
  });

  it('calls a function, and puts an event on the default bus, with its data and configuration', async () => {
    cloudWatch.alarms.ensureAlarm(template({ AlarmActions: [action], OKActions: [] }));
    record(1);
    await clock.advance(60_000);
    const alarmData = {
      alarmName: 'failed',
      state: {
        value: 'ALARM',
        reason: expect.stringContaining('Threshold Crossed'),
        reasonData: expect.stringContaining('"recentDatapoints":[1]'),
        timestamp: '2026-11-20T10:01:00.000+0000',
      },
      previousState: expect.objectContaining({ value: 'OK' }),
      configuration: {
        description: 'A backup failed.',
        metrics: [
          {
            id: expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
            metricStat: {
              metric: { namespace: 'Mainstay', name: 'Failed', dimensions: { environment: 'dev' } },
              period: 60,
              stat: 'Sum',
            },
            returnData: true,
          },
        ],
      },
    };
    expect(deliveries).toEqual([
      {
        target: action,
        origin: { service: 'lambda.alarms.cloudwatch.amazonaws.com', sourceArn: alarmArn('failed') },
        payload: {
          source: 'aws.cloudwatch',
          alarmArn: alarmArn('failed'),
          accountId,
          time: '2026-11-20T10:01:00.000+0000',
          region,
          alarmData,
        },
      },
    ]);
    expect(events.at(-1)).toEqual({
      source: 'aws.cloudwatch',
      detailType: 'CloudWatch Alarm State Change',
      resources: [alarmArn('failed')],
      time: Date.parse('2026-11-20T10:01:00Z'),
      detail: alarmData,
    });
  });

  it('needs M of N datapoints', async () => {
    cloudWatch.alarms.ensureAlarm(template({ EvaluationPeriods: 3, DatapointsToAlarm: 2 }));
    const states: unknown[] = [];
    for (const value of [0, 5, 0, 0, 5, 5]) {
      record(value);
      await clock.advance(60_000);
      states.push(state());
    }
    expect(states).toEqual(['OK', 'OK', 'OK', 'OK', 'OK', 'ALARM']);
  });

  describe('of a resolution below a minute', () => {
    const probes = template({
      AlarmName: 'down',
      MetricName: 'ProbeFailed',
      Statistic: 'Minimum',
      Period: 30,
      EvaluationPeriods: 4,
      DatapointsToAlarm: 3,
      TreatMissingData: 'breaching',
    });
    /** A probe each 30 s for each value, printed as a function prints it; undefined: it prints nothing. */
    const probe = async (values: readonly (number | undefined)[], lateMs = 0): Promise<unknown[]> => {
      const states: unknown[] = [];
      for (const value of values) {
        const Timestamp = clock.now();
        await clock.advance(lateMs);
        const metric = {
          Namespace: 'Mainstay',
          Dimensions: [['environment'], []],
          Metrics: [{ Name: 'ProbeFailed', StorageResolution: 1 }],
        };
        const _aws = { Timestamp, CloudWatchMetrics: [metric] };
        if (value !== undefined) {
          cloudWatch.metrics.ingestLogLine(
            'probe',
            JSON.stringify({ _aws, environment: 'dev', ProbeFailed: value }),
          );
        }
        await clock.advance(30_000 - lateMs);
        states.push(state('down'));
      }
      return states;
    };

    it('is raised by as many failures as it counts, within seconds, and ends as soon', async () => {
      cloudWatch.alarms.ensureAlarm(probes);
      expect(await probe([0, 0, 0, 0, 1, 1, 1])).toEqual([
        ...['ALARM', 'OK', 'OK', 'OK'],
        ...['OK', 'OK', 'ALARM'],
      ]);
      expect(await probe([1, 1, 0, 0])).toEqual(['ALARM', 'ALARM', 'ALARM', 'OK']);
    });

    it('is not raised by a value that comes late, or not at all', async () => {
      cloudWatch.alarms.ensureAlarm(probes);
      await probe([0, 0, 0, 0]);
      expect(await probe([0, 1, 0, 1, 0], 25_000)).not.toContain('ALARM');
      expect(await probe([undefined, 0, undefined, 0, 1, undefined, 0])).not.toContain('ALARM');
    });

    it('is raised when nothing comes any more', async () => {
      cloudWatch.alarms.ensureAlarm(probes);
      await probe([0, 0, 0, 0]);
      const silence = await probe(Array.from({ length: 7 }, () => undefined));
      expect(silence.at(-1)).toBe('ALARM');
      expect(silence.slice(0, 2)).toEqual(['OK', 'OK']);
    });
  });

  it('watches percentiles and metric math', async () => {
    cloudWatch.alarms.ensureAlarm(
      template({
        AlarmName: 'slow',
        Statistic: undefined,
        ExtendedStatistic: 'p95',
        MetricName: 'Duration',
        Threshold: 2000,
      }),
    );
    const stat = (Id: string, MetricName: string) => ({
      Id,
      ReturnData: false,
      MetricStat: {
        Metric: { Namespace: 'Mainstay', MetricName, Dimensions: [{ Name: 'environment', Value: 'dev' }] },
        Period: 60,
        Stat: 'Sum',
      },
    });
    const {
      Namespace: _,
      MetricName: __,
      Dimensions: ___,
      Statistic: ____,
      Period: _____,
      ...rest
    } = template();
    cloudWatch.alarms.ensureAlarm({
      ...rest,
      AlarmName: 'rate',
      Threshold: 5,
      ComparisonOperator: 'GreaterThanThreshold',
      Metrics: [
        stat('errors', 'Errors'),
        stat('requests', 'Requests'),
        { Id: 'rate', Expression: 'IF(requests > 0, 100 * FILL(errors, 0) / requests, 0)' },
      ],
    });
    for (let each = 0; each < 100; each += 1) record(each < 94 ? 100 : 3000, 'Duration');
    record(100, 'Requests');
    record(6, 'Errors');
    await clock.advance(60_000);
    expect([state('slow'), state('rate')]).toEqual(['ALARM', 'ALARM']);
  });

  it('that looks back for 26 hours finds the last value after restarts, and misses it in time', async () => {
    cloudWatch.alarms.ensureAlarm(
      template({
        AlarmName: 'missed',
        MetricName: 'Completed',
        Period: 3600,
        EvaluationPeriods: 26,
        DatapointsToAlarm: 26,
        ComparisonOperator: 'LessThanThreshold',
        TreatMissingData: 'breaching',
      }),
    );
    await clock.advance(10_000);
    expect(state('missed')).toBe('ALARM');
    record(1, 'Completed');
    await clock.advance(10 * 60_000);
    expect(state('missed')).toBe('OK');
    for (let restart = 0; restart < 4; restart += 1) {
      await cloudWatch.stop();
      await clock.advance(6 * hour);
      await create().start();
      cloudWatch.alarms.ensureAlarm(
        template({
          AlarmName: 'missed',
          MetricName: 'Completed',
          Period: 3600,
          EvaluationPeriods: 26,
          DatapointsToAlarm: 26,
          ComparisonOperator: 'LessThanThreshold',
          TreatMissingData: 'breaching',
        }),
      );
      await clock.advance(60_000);
      expect(state('missed')).toBe('OK');
    }
    // The evaluation range is two periods longer than the evaluation periods.
    await cloudWatch.stop();
    await clock.advance(5 * hour);
    await cloudWatch.start();
    await clock.advance(10_000);
    expect(state('missed')).toBe('ALARM');
    expect(deliveries.map(({ payload }) => JSON.parse(String(payload)).NewStateValue)).toEqual([
      'ALARM',
      'OK',
      'ALARM',
    ]);
    expect(JSON.parse(String(deliveries.at(-1)?.payload)).NewStateReason).toBe(
      'Threshold Crossed: no datapoints were received for 26 periods and 26 missing datapoints treated as [Breaching].',
    );
  });

  it('keeps its state over a restart, and acts on changes only', async () => {
    cloudWatch.alarms.ensureAlarm(template({ TreatMissingData: 'ignore' }));
    record(1);
    await clock.advance(60_000);
    await cloudWatch.stop();
    await create().start();
    cloudWatch.alarms.ensureAlarm(template({ TreatMissingData: 'ignore' }));
    await clock.advance(hour);
    expect(state()).toBe('ALARM');
    expect(deliveries).toHaveLength(1);
    expect(await call('DescribeAlarmHistory', { AlarmName: 'failed' })).toMatchObject({
      AlarmHistoryItems: [{ HistorySummary: 'Alarm updated from INSUFFICIENT_DATA to ALARM' }],
    });
  });

  it.each<[Record<string, unknown>, string]>([
    [{ AlarmActions: ['arn:aws:automate:us-east-1:ec2:stop'] }, 'the action arn:aws:automate'],
    [
      { ComparisonOperator: 'GreaterThanUpperThreshold' as 'GreaterThanThreshold' },
      'GreaterThanUpperThreshold',
    ],
    [{ Statistic: undefined, ExtendedStatistic: 'tm99' }, 'tm99'],
    [{ DatapointsToAlarm: 2 }, 'more than EvaluationPeriods'],
    [{ Period: 45 }, 'not a valid period'],
    [{ Period: undefined }, 'it needs'],
    [{ Period: 86_400, EvaluationPeriods: 8 }, 'seven days'],
    [{ Metrics: [{ Id: 'a', Expression: 'SEARCH("x")', Period: 60 }] }, 'SEARCH'],
    [{ Metrics: [{ Id: 'a', Expression: 'b + 1', Period: 60 }] }, 'uses b, which is not there'],
    [{ ThresholdMetricId: 'x' }, 'ThresholdMetricId'],
  ])('with %j is refused by name', (more, reason) => {
    expect(() => cloudWatch.alarms.ensureAlarm({ ...template(), ...more })).toThrow(reason);
  });
});

describe('the alarms API', () => {
  it('describes alarms', async () => {
    cloudWatch.alarms.ensureAlarm(template());
    cloudWatch.alarms.ensureAlarm(template({ AlarmName: 'other' }));
    await clock.advance(10_000);
    expect(await call('DescribeAlarms', { AlarmNames: ['failed'] })).toMatchObject({
      MetricAlarms: [
        {
          AlarmName: 'failed',
          AlarmArn: alarmArn('failed'),
          StateValue: 'OK',
          StateUpdatedTimestamp: new Date('2026-11-20T10:00:10Z'),
          MetricName: 'Failed',
          Threshold: 1,
          DatapointsToAlarm: 1,
          ActionsEnabled: true,
        },
      ],
      CompositeAlarms: [],
    });
    expect(await call('DescribeAlarms', { StateValue: 'ALARM' })).toMatchObject({ MetricAlarms: [] });
    expect(await call('DescribeAlarms', { MaxRecords: 1 })).toMatchObject({
      MetricAlarms: [{ AlarmName: 'failed' }],
      NextToken: expect.any(String),
    });
  });

  it('sets a state until the next evaluation', async () => {
    cloudWatch.alarms.ensureAlarm(template());
    await clock.advance(10_000);
    deliveries.length = 0;
    await call('SetAlarmState', { AlarmName: 'failed', StateValue: 'ALARM', StateReason: 'a test' });
    await clock.advance(0);
    expect(deliveries.map(({ payload }) => JSON.parse(String(payload)).NewStateReason)).toEqual(['a test']);
    await clock.advance(10_000);
    expect(state()).toBe('OK');
    const unknown = call('SetAlarmState', { AlarmName: 'none', StateValue: 'OK', StateReason: '' });
    await expect(unknown).rejects.toMatchObject({ code: 'ResourceNotFound' });
  });

  it('switches actions off and on, over restarts too', async () => {
    cloudWatch.alarms.ensureAlarm(template());
    await call('DisableAlarmActions', { AlarmNames: ['failed'] });
    await cloudWatch.stop();
    await create().start();
    cloudWatch.alarms.ensureAlarm(template());
    record(1);
    await clock.advance(60_000);
    expect(state()).toBe('ALARM');
    expect(deliveries).toHaveLength(0);
    await call('EnableAlarmActions', { AlarmNames: ['failed'] });
    await clock.advance(hour);
    expect(deliveries).toHaveLength(1);
  });

  it('asks IAM about each alarm', async () => {
    const asked = await cloudWatch.api.operations.DescribeAlarms?.authorize(
      { AlarmNames: ['a', 'b'] },
      context,
    );
    expect(asked).toEqual([
      { action: 'cloudwatch:DescribeAlarms', resource: alarmArn('a') },
      { action: 'cloudwatch:DescribeAlarms', resource: alarmArn('b') },
    ]);
  });
});

describe('the metrics API', () => {
  const put = (data: Record<string, unknown>) =>
    call('PutMetricData', { Namespace: 'Own', MetricData: [{ MetricName: 'M', ...data }] });
  const range = {
    StartTime: new Date('2026-11-20T10:00:00Z'),
    EndTime: new Date('2026-11-20T10:03:00Z'),
  };

  it('takes values and gives them back as data and as statistics', async () => {
    await put({ Value: 1, Unit: 'Count' });
    await put({ Values: [2, 4], Counts: [1, 2], Timestamp: range.StartTime.getTime() / 1000 + 60 });
    const Metric = { Namespace: 'Own', MetricName: 'M' };
    const query = (Id: string, more: Record<string, unknown>) => ({ Id, ...more });
    const data = await call('GetMetricData', {
      ...range,
      ScanBy: 'TimestampAscending',
      MetricDataQueries: [
        query('m', { MetricStat: { Metric, Period: 60, Stat: 'Sum' } }),
        query('e', { Expression: 'm * 2', Label: 'double' }),
      ],
    });
    const [first, second] = [range.StartTime, new Date('2026-11-20T10:01:00Z')];
    expect(data).toEqual({
      MetricDataResults: [
        { Id: 'm', Label: 'M', Timestamps: [first, second], Values: [1, 10], StatusCode: 'Complete' },
        { Id: 'e', Label: 'double', Timestamps: [first, second], Values: [2, 20], StatusCode: 'Complete' },
      ],
      Messages: [],
    });
    const statistics = {
      ...Metric,
      ...range,
      Period: 180,
      Statistics: ['Average', 'Maximum'],
      ExtendedStatistics: ['p50'],
    };
    expect(await call('GetMetricStatistics', statistics)).toEqual({
      Label: 'M',
      Datapoints: [
        { Timestamp: first, Unit: 'Count', Average: 2.75, Maximum: 4, ExtendedStatistics: { p50: 2 } },
      ],
    });
    expect(await call('ListMetrics', { Namespace: 'Own' })).toEqual({
      Metrics: [{ Namespace: 'Own', MetricName: 'M', Dimensions: [] }],
    });
  });

  it.each<[Record<string, unknown>, string]>([
    [{}, 'InvalidParameterValue'],
    [{ Values: [1, 2], Counts: [1] }, 'InvalidParameterValue'],
    [{ Value: 1, Timestamp: 1_000_000_000 }, 'InvalidParameterValue'],
    [{ Value: 'many' }, 'ValidationException'],
    [{ StatisticValues: {} }, 'NotEmulated'],
  ])('refuses %j', async (data, code) => {
    await expect(put(data)).rejects.toMatchObject({ code });
  });

  it('refuses questions it cannot answer', async () => {
    const ask = (more: Record<string, unknown>) =>
      call('GetMetricData', { ...range, MetricDataQueries: [{ Id: 'm', ...more }] });
    await expect(ask({ Expression: 'SEARCH("x")' })).rejects.toMatchObject({ code: 'InvalidParameterValue' });
    await expect(ask({ Expression: 'm + 1' })).rejects.toMatchObject({ code: 'InvalidParameterValue' });
    await expect(ask({})).rejects.toMatchObject({ code: 'InvalidParameterValue' });
    await expect(call('PutMetricData', { Namespace: 'AWS/Lambda', MetricData: [] })).rejects.toMatchObject({
      code: 'ValidationException',
    });
  });
});
