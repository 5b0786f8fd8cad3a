import { describe, expect, it } from '@jest/globals';
import { detection } from '../../lib/failover/alarms.ts';
import { decideState, evaluationRange } from '../../local/cloudwatch/alarm-evaluation.ts';
import { ofType, synthesize, synthesizeUnchecked } from './support.ts';
import { functionsOf, statementsOf } from './template.ts';

const databases = synthesize('local').stack('Databases');
const { template, resources } = databases;
const functions = functionsOf(resources);
const failover = { 'Fn::GetAtt': [functions.get('failover/failover')?.id, 'Arn'] };
const alarms = ofType(databases, 'AWS::CloudWatch::Alarm').map(([id, { Properties, DependsOn = [] }]) => ({
  id,
  properties: Properties,
  after: [DependsOn].flat(),
}));
const named = (name: string) =>
  alarms.find(({ properties }) => properties.AlarmName === `mainstay-local-${name}`);

describe('The alarm on a writer', () => {
  it.each(['shard-a', 'shard-b'])('counts failed probes of its shard, and silence: %s', (shard) => {
    expect(named(`writer-down-${shard}`)?.properties).toMatchObject({
      Namespace: 'Mainstay/local',
      MetricName: 'WriterProbeFailed',
      Dimensions: expect.arrayContaining([
        { Name: 'service', Value: 'failover' },
        { Name: 'shard', Value: shard },
      ]),
      Statistic: 'Minimum',
      Period: 30,
      Threshold: 1,
      ComparisonOperator: 'GreaterThanOrEqualToThreshold',
      EvaluationPeriods: 4,
      DatapointsToAlarm: 3,
      TreatMissingData: 'breaching',
      AlarmActions: [expect.anything(), failover],
    });
  });

  it('is raised by what it counts, and by no value that is merely late', () => {
    const { EvaluationPeriods: periods, DatapointsToAlarm: needed } =
      named('writer-down-shard-a')?.properties ?? {};
    const stateAfter = (...points: (boolean | undefined)[]) => {
      const range = evaluationRange(Number(periods));
      const before = Array.from({ length: range - points.length }, () => false);
      return decideState([...before, ...points], Number(periods), Number(needed), 'breaching');
    };
    expect(stateAfter(true, true, true)).toBe('ALARM');
    expect(stateAfter(true, true)).toBe('OK');
    expect(stateAfter(undefined)).toBe('OK');
    expect(stateAfter(true, true, undefined)).toBe('OK');
    expect(stateAfter(true, true, true, undefined)).toBe('ALARM');
    expect(stateAfter(...Array.from({ length: 6 }, () => undefined))).toBe('ALARM');
  });

  it('comes after what probes', () => {
    const [schedule, rule] =
      ofType(databases, 'AWS::Events::Rule').find(([id]) => id.startsWith('FailoverProbeSchedule')) ?? [];
    expect(named('writer-down-shard-a')?.after).toContain(schedule);
    expect(rule?.Properties).toMatchObject({ ScheduleExpression: 'cron(* * * * ? *)', State: 'ENABLED' });
  });

  it('may invoke the function that decides, by one permission for all of them', () => {
    const permissions = ofType(databases, 'AWS::Lambda::Permission')
      .map(([, { Properties }]) => Properties)
      .filter(({ Principal }) => Principal === 'lambda.alarms.cloudwatch.amazonaws.com');
    expect(permissions).toEqual([
      {
        Action: 'lambda:InvokeFunction',
        FunctionName: failover,
        Principal: 'lambda.alarms.cloudwatch.amazonaws.com',
        SourceAccount: { Ref: 'AWS::AccountId' },
        SourceArn: expect.anything(),
      },
    ]);
    expect(JSON.stringify(permissions[0]?.SourceArn)).toContain(':alarm:mainstay-local-writer-down-*');
  });

  it('watches in periods that CloudWatch has', () => {
    const of = (probeIntervalSeconds: 10 | 15 | 20 | 30 | 60, failureThreshold: number) =>
      detection({ probeIntervalSeconds, failureThreshold });
    expect(of(10, 3)).toEqual({ periodSeconds: 10, datapoints: 3 });
    expect(of(15, 3)).toEqual({ periodSeconds: 30, datapoints: 2 });
    expect(of(20, 3)).toEqual({ periodSeconds: 30, datapoints: 2 });
    expect(of(30, 1)).toEqual({ periodSeconds: 30, datapoints: 1 });
    expect(of(60, 3)).toEqual({ periodSeconds: 60, datapoints: 3 });
  });
});

describe('The function that probes', () => {
  it('reads the shards table, writes what it finds, and may do nothing else', () => {
    const role = functions.get('failover/probe')?.role;
    const own = statementsOf(resources).filter((statement) => statement.role === role);
    const changing = own.filter(({ actions }) =>
      actions.some((action) => /:(Put|Update|Delete)/.test(action)),
    );
    expect(changing.map(({ actions, condition }) => ({ actions, condition }))).toEqual([
      {
        actions: ['dynamodb:PutItem'],
        condition: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['PROBE'] } },
      },
    ]);
    expect(new Set(own.flatMap(({ actions }) => actions))).toEqual(
      new Set(['dynamodb:Query', 'dynamodb:PutItem', 'rds-db:connect']),
    );
  });

  it('is not asked again about a minute that has passed', () => {
    template.hasResourceProperties('AWS::Lambda::EventInvokeConfig', {
      FunctionName: { Ref: functions.get('failover/probe')?.id },
      MaximumRetryAttempts: 0,
      MaximumEventAgeInSeconds: 60,
    });
  });

  it('is not called, and not missed, where probes are turned off', () => {
    const { resources: quiet } = synthesizeUnchecked('quiet', { failover: { enabled: false } }).stack(
      'Databases',
    );
    const names = Object.values(quiet).map(({ Properties }) => Properties.AlarmName);
    expect(
      names.filter((name) => /writer-down|probe-cut-off|replica-lag|second-writer/.test(String(name))),
    ).toEqual([]);
    expect(Object.keys(quiet).filter((id) => id.startsWith('FailoverProbeSchedule'))).toEqual([]);
    expect(functionsOf(quiet).has('failover/probe')).toBe(true);
  });
});
