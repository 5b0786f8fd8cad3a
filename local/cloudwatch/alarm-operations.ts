import * as z from 'zod';
import { defineOperation } from '../aws/define-operation.ts';
import { timestamp } from '../aws/input.ts';
import type { Operation } from '../aws/operation.ts';
import { page } from '../aws/paging.ts';
import type { AnyAlarm } from './alarm-messages.ts';
import type { Alarms } from './alarms.ts';

const stateSchema = z.enum(['OK', 'ALARM', 'INSUFFICIENT_DATA']);
const paging = { MaxRecords: z.int().min(1).max(100).default(100), NextToken: z.string().optional() };
const describeSchema = z.strictObject({
  ...paging,
  AlarmNames: z.array(z.string()).max(100).optional(),
  AlarmNamePrefix: z.string().default(''),
  AlarmTypes: z.array(z.enum(['MetricAlarm', 'CompositeAlarm'])).optional(),
  StateValue: stateSchema.optional(),
  ActionPrefix: z.string().optional(),
});
const setStateSchema = z.strictObject({
  AlarmName: z.string().min(1),
  StateValue: stateSchema,
  StateReason: z.string().max(1023),
  StateReasonData: z.string().max(4000).optional(),
});
const namesSchema = z.strictObject({ AlarmNames: z.array(z.string()).max(100) });
const historySchema = z.strictObject({
  ...paging,
  AlarmName: z.string().optional(),
  AlarmTypes: z.array(z.string()).optional(),
  HistoryItemType: z.enum(['StateUpdate', 'ConfigurationUpdate', 'Action']).optional(),
  StartDate: timestamp.optional(),
  EndDate: timestamp.optional(),
  ScanBy: z.enum(['TimestampDescending', 'TimestampAscending']).default('TimestampDescending'),
});

export function alarmOperations(alarms: Alarms): Record<string, Operation> {
  const on = (action: string, names: readonly string[] | undefined) =>
    (names ?? ['*']).map((name) => ({ action: `cloudwatch:${action}`, resource: alarms.arnOf(name) }));
  const switching = (action: 'EnableAlarmActions' | 'DisableAlarmActions', enabled: boolean) =>
    defineOperation(`cloudwatch:${action}`, namesSchema, {
      authorize: ({ AlarmNames }) => on(action, AlarmNames),
      run: ({ AlarmNames }) => alarms.switchActions(AlarmNames, enabled),
    });
  return {
    DescribeAlarms: defineOperation('cloudwatch:DescribeAlarms', describeSchema, {
      authorize: ({ AlarmNames }) => on('DescribeAlarms', AlarmNames),
      run: (input) => describeAlarms(alarms, input),
    }),
    DescribeAlarmHistory: defineOperation('cloudwatch:DescribeAlarmHistory', historySchema, {
      authorize: ({ AlarmName }) =>
        on('DescribeAlarmHistory', AlarmName === undefined ? undefined : [AlarmName]),
      run: (input) => describeHistory(alarms, input),
    }),
    SetAlarmState: defineOperation('cloudwatch:SetAlarmState', setStateSchema, {
      authorize: ({ AlarmName }) => on('SetAlarmState', [AlarmName]),
      run: (input) =>
        alarms.setState(input.AlarmName, input.StateValue, input.StateReason, input.StateReasonData),
    }),
    EnableAlarmActions: switching('EnableAlarmActions', true),
    DisableAlarmActions: switching('DisableAlarmActions', false),
  };
}

function describeAlarms(alarms: Alarms, input: z.infer<typeof describeSchema>) {
  // Without a type, CloudWatch tells of metric alarms alone.
  const types = input.AlarmTypes ?? ['MetricAlarm'];
  const wanted = alarms.list().filter(({ alarm, memory }) => {
    const { template } = alarm;
    const actions = [...template.AlarmActions, ...template.OKActions, ...template.InsufficientDataActions];
    const { ActionPrefix } = input;
    return (
      types.includes(typeOf(alarm)) &&
      (input.AlarmNames === undefined || input.AlarmNames.includes(alarm.name)) &&
      alarm.name.startsWith(input.AlarmNamePrefix) &&
      (input.StateValue === undefined || memory.current.value === input.StateValue) &&
      (ActionPrefix === undefined || actions.some((action) => action.startsWith(ActionPrefix)))
    );
  });
  const { items, next } = page(wanted, {
    keyOf: ({ alarm }) => alarm.name,
    limit: input.MaxRecords,
    token: input.NextToken,
    invalidToken: 'InvalidNextToken',
  });
  const metricAlarms = items.filter(({ alarm }) => alarm.kind === 'metric');
  const compositeAlarms = items.filter(({ alarm }) => alarm.kind === 'composite');
  return {
    MetricAlarms: metricAlarms.map(describe),
    CompositeAlarms: compositeAlarms.map(describe),
    NextToken: next,
  };
}

const typeOf = ({ kind }: AnyAlarm) => (kind === 'metric' ? 'MetricAlarm' : 'CompositeAlarm');

function describe({ alarm, memory, actionsEnabled }: ReturnType<Alarms['list']>[number]) {
  const { Tags: _, ...template } = alarm.template;
  const { current, configuredAt, history } = memory;
  return {
    ...template,
    AlarmArn: alarm.arn,
    ActionsEnabled: actionsEnabled,
    ...(alarm.kind === 'metric' && { DatapointsToAlarm: alarm.datapointsToAlarm }),
    AlarmConfigurationUpdatedTimestamp: new Date(configuredAt),
    StateValue: current.value,
    StateReason: current.reason,
    StateReasonData: current.reasonData,
    StateUpdatedTimestamp: new Date(current.timestamp),
    StateTransitionedTimestamp: new Date(history[0]?.after.timestamp ?? current.timestamp),
  };
}

function describeHistory(alarms: Alarms, input: z.infer<typeof historySchema>) {
  const changes = alarms
    .list()
    .filter(({ alarm }) => input.AlarmName === undefined || alarm.name === input.AlarmName)
    .flatMap(({ alarm, memory }) => memory.history.map((change) => ({ alarm, ...change })))
    .filter(
      ({ after, alarm }) =>
        (input.AlarmTypes?.includes(typeOf(alarm)) ?? alarm.kind === 'metric') &&
        (input.HistoryItemType === undefined || input.HistoryItemType === 'StateUpdate') &&
        after.timestamp >= (input.StartDate?.getTime() ?? 0) &&
        after.timestamp <= (input.EndDate?.getTime() ?? Number.POSITIVE_INFINITY),
    )
    .sort((a, b) => b.after.timestamp - a.after.timestamp);
  if (input.ScanBy === 'TimestampAscending') changes.reverse();
  const { items, next } = page(changes, {
    keyOf: ({ alarm, after }) => `${after.timestamp} ${alarm.name} ${after.value}`,
    limit: input.MaxRecords,
    token: input.NextToken,
    invalidToken: 'InvalidNextToken',
  });
  const AlarmHistoryItems = items.map(({ alarm, before, after }) => ({
    AlarmName: alarm.name,
    AlarmType: typeOf(alarm),
    Timestamp: new Date(after.timestamp),
    HistoryItemType: 'StateUpdate',
    HistorySummary: `Alarm updated from ${before.value} to ${after.value}`,
    HistoryData: JSON.stringify({
      version: '1.0',
      oldState: { stateValue: before.value, stateReason: before.reason },
      newState: { stateValue: after.value, stateReason: after.reason },
    }),
  }));
  return { AlarmHistoryItems, NextToken: next };
}
