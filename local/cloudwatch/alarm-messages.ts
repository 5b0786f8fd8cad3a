import { createHash } from 'node:crypto';
import type { ServiceEvent } from '../events/event.ts';
import { type Alarm, type AlarmState, comparisons } from './alarm-definition.ts';
import { type CompositeAlarm, triggersOf } from './composite-alarm.ts';
import type { Series } from './metric-math.ts';

export type AnyAlarm = Alarm | CompositeAlarm;

/** What is known of an alarm's state. Times are milliseconds since the epoch. */
export interface StateChange {
  value: AlarmState;
  reason: string;
  /** JSON text. */
  reasonData?: string | undefined;
  timestamp: number;
}

/** Why the data of an alarm puts it into a state, in CloudWatch's words. */
export function reasonOf(alarm: Alarm, state: AlarmState, values: Series, start: number): string {
  const { template, evaluationPeriods, datapointsToAlarm, periodSeconds } = alarm;
  const points = values
    .map((value, index) => ({ value, time: start + index * periodSeconds }))
    .filter((point): point is { value: number; time: number } => point.value !== undefined)
    .slice(-evaluationPeriods);
  const compared = `${comparisons[template.ComparisonOperator].words} the threshold (${decimal(template.Threshold)})`;
  if (points.length === 0) {
    const treatment = template.TreatMissingData;
    const periods = plural(evaluationPeriods, 'period');
    if (state === 'INSUFFICIENT_DATA')
      return `Insufficient Data: ${plural(evaluationPeriods, 'datapoint')} unknown.`;
    const treated = treatment === 'breaching' ? 'Breaching' : 'NonBreaching';
    return `Threshold Crossed: no datapoints were received for ${periods} and ${plural(
      evaluationPeriods,
      'missing datapoint',
    )} treated as [${treated}].`;
  }
  const shown = points
    .filter(({ value }) => isBreaching(alarm, value) === (state === 'ALARM'))
    .reverse()
    .map(({ value, time }) => `${decimal(value)} (${shortDate(time)})`);
  const not = state === 'ALARM' ? '' : 'not ';
  return (
    `Threshold Crossed: ${shown.length} out of the last ${plural(points.length, 'datapoint')} ` +
    `[${shown.join(', ')}] ${shown.length === 1 ? 'was' : 'were'} ${not}${compared} ` +
    `(minimum ${plural(datapointsToAlarm, 'datapoint')} for OK -> ALARM transition).`
  );
}

/** The same for programs. */
export function reasonDataOf(alarm: Alarm, values: Series, start: number, now: number): string {
  const { template, periodSeconds } = alarm;
  return JSON.stringify({
    version: '1.0',
    queryDate: dateTime(now),
    startDate: dateTime(start * 1000),
    ...statisticOf(alarm),
    period: periodSeconds,
    recentDatapoints: values.filter((value) => value !== undefined),
    threshold: template.Threshold,
    evaluatedDatapoints: values
      .map((value, index) => ({ timestamp: dateTime((start + index * periodSeconds) * 1000), value }))
      .filter(({ value }) => value !== undefined)
      .reverse(),
  });
}

export function isBreaching({ template }: Alarm, value: number): boolean {
  return comparisons[template.ComparisonOperator].holds(value, template.Threshold);
}

/** The JSON text of the message a topic gets. */
export function topicMessage(
  alarm: AnyAlarm,
  now: StateChange,
  before: StateChange,
  origin: AlarmOrigin,
): string {
  const { template } = alarm;
  return JSON.stringify({
    AlarmName: alarm.name,
    AlarmDescription: template.AlarmDescription ?? null,
    AWSAccountId: origin.accountId,
    AlarmConfigurationUpdatedTimestamp: dateTime(origin.configuredAt),
    NewStateValue: now.value,
    NewStateReason: now.reason,
    StateChangeTime: dateTime(now.timestamp),
    Region: regionName(origin.region),
    AlarmArn: alarm.arn,
    OldStateValue: before.value,
    OKActions: template.OKActions,
    AlarmActions: template.AlarmActions,
    InsufficientDataActions: template.InsufficientDataActions,
    ...(alarm.kind === 'composite' ? compositeTrigger(alarm, now) : { Trigger: trigger(alarm) }),
  });
}

/** Subject of that message. */
export function topicSubject(alarm: AnyAlarm, state: AlarmState, region: string): string {
  const subject = `${state}: "${alarm.name.replaceAll(/[^\x20-\x7e]/g, '?')}" in ${regionName(region)}`;
  return subject.length <= 100 ? subject : `${subject.slice(0, 97)}...`;
}

/** The event a function gets as an alarm's action. */
export function functionEvent(alarm: AnyAlarm, now: StateChange, before: StateChange, origin: AlarmOrigin) {
  return {
    source: 'aws.cloudwatch',
    alarmArn: alarm.arn,
    accountId: origin.accountId,
    time: dateTime(now.timestamp),
    region: origin.region,
    alarmData: {
      alarmName: alarm.name,
      state: stateData(now),
      previousState: stateData(before),
      configuration: configuration(alarm),
    },
  };
}

/** The event on the default bus. */
export function stateChangeEvent(alarm: AnyAlarm, now: StateChange, before: StateChange): ServiceEvent {
  return {
    source: 'aws.cloudwatch',
    detailType: 'CloudWatch Alarm State Change',
    resources: [alarm.arn],
    time: now.timestamp,
    detail: {
      alarmName: alarm.name,
      state: stateData(now),
      previousState: stateData(before),
      configuration: configuration(alarm),
    },
  };
}

export interface AlarmOrigin {
  accountId: string;
  region: string;
  configuredAt: number;
}

/** What messages call a region; the local runtime lives in one. */
function regionName(region: string): string {
  return region === 'us-east-1' ? 'US East (N. Virginia)' : region;
}

function stateData({ value, reason, reasonData, timestamp }: StateChange) {
  return {
    value,
    reason,
    ...(reasonData === undefined ? {} : { reasonData }),
    timestamp: dateTime(timestamp),
  };
}

/** Why a composite alarm is in another state, by the one whose change it follows. */
export function compositeReason(child: AnyAlarm, { value, timestamp }: StateChange): string {
  return `${child.arn} transitioned to ${value} at ${new Date(timestamp).toUTCString()}`;
}

/** The same for programs. */
export function compositeReasonData(child: AnyAlarm, { value, timestamp }: StateChange): string {
  return JSON.stringify({
    triggeringAlarms: [{ arn: child.arn, state: { value, timestamp: dateTime(timestamp) } }],
  });
}

function compositeTrigger({ template }: CompositeAlarm, { reasonData }: StateChange) {
  return {
    AlarmRule: template.AlarmRule,
    TriggeringChildren: triggersOf(reasonData).map(({ arn, state: { value, timestamp } }) => ({
      Arn: arn,
      State: { Value: value, Timestamp: timestamp },
    })),
  };
}

function configuration(alarm: AnyAlarm) {
  const described =
    alarm.template.AlarmDescription === undefined ? {} : { description: alarm.template.AlarmDescription };
  if (alarm.kind === 'composite') return { ...described, alarmRule: alarm.template.AlarmRule };
  return {
    ...described,
    metrics: alarm.queries.map(({ Id, Expression, Label, MetricStat, ReturnData }) => ({
      // A metric that the alarm has by itself, and not in a list, has an id that nobody chose.
      id: alarm.template.Metrics === undefined ? uuidOf(alarm.arn) : Id,
      ...(Expression === undefined ? {} : { expression: Expression }),
      ...(Label === undefined ? {} : { label: Label }),
      ...(MetricStat === undefined
        ? {}
        : {
            metricStat: {
              metric: {
                namespace: MetricStat.Metric.Namespace,
                name: MetricStat.Metric.MetricName,
                dimensions: Object.fromEntries(
                  MetricStat.Metric.Dimensions.map((each) => [each.Name, each.Value]),
                ),
              },
              period: MetricStat.Period,
              stat: MetricStat.Stat,
              ...(MetricStat.Unit === undefined ? {} : { unit: MetricStat.Unit }),
            },
          }),
      returnData: ReturnData,
    })),
  };
}

/** The same for the same text, in the form of a UUID. */
function uuidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join(
    '-',
  );
}

function trigger(alarm: Alarm) {
  const { template, periodSeconds, evaluationPeriods, datapointsToAlarm } = alarm;
  const common = {
    Period: periodSeconds,
    EvaluationPeriods: evaluationPeriods,
    DatapointsToAlarm: datapointsToAlarm,
    ComparisonOperator: template.ComparisonOperator,
    Threshold: template.Threshold,
    TreatMissingData: template.TreatMissingData,
    EvaluateLowSampleCountPercentile: '',
  };
  if (template.Metrics !== undefined) return { ...common, Metrics: template.Metrics };
  return {
    MetricName: template.MetricName,
    Namespace: template.Namespace,
    StatisticType: template.Statistic === undefined ? 'ExtendedStatistic' : 'Statistic',
    ...(template.Statistic === undefined
      ? { ExtendedStatistic: template.ExtendedStatistic }
      : { Statistic: template.Statistic.toUpperCase() }),
    Unit: template.Unit ?? null,
    Dimensions: template.Dimensions.map(({ Name, Value }) => ({ value: Value, name: Name })),
    ...common,
  };
}

function statisticOf({ template }: Alarm): { statistic?: string } {
  const name = template.Statistic ?? template.ExtendedStatistic;
  return name === undefined ? {} : { statistic: name };
}

/** ISO 8601 as CloudWatch writes it: `2026-11-20T10:00:00.000+0000`. */
function dateTime(time: number): string {
  return new Date(time).toISOString().replace('Z', '+0000');
}

function shortDate(seconds: number): string {
  const [, year, month, day, time] =
    /^\d\d(\d\d)-(\d\d)-(\d\d)T(.{8})/.exec(new Date(seconds * 1000).toISOString()) ?? [];
  return `${day}/${month}/${year} ${time}`;
}

function decimal(value: number): string {
  return Number.isInteger(value) ? value.toFixed(1) : String(value);
}

function plural(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
