import {
  type AlarmHistoryItem,
  type CloudWatchClient,
  type CompositeAlarm,
  DescribeAlarmHistoryCommand,
  DescribeAlarmsCommand,
  type MetricAlarm,
} from '@aws-sdk/client-cloudwatch';
import * as z from 'zod';
import { alarmStateSchema } from '../../access/webhooks/events.ts';
import { onDependency } from '../../shared/dependency.ts';
import { readDescription } from '../../shared/runbook.ts';
import type { Alert, AlertChange } from './contract.ts';

/** Pages of a hundred: far more alarms, and changes, than a deployment has. */
const mostPages = 10;
const pageSize = 100;
/** Of one alarm. */
const mostChanges = 50;

/** How alarms are ordered. */
const order = ['ALARM', 'INSUFFICIENT_DATA', 'OK'] as const;

export interface AlertQuestion {
  /** What the names of a deployment's alarms begin with. */
  readonly prefix: string;
  /** The history from then on, in ms since 1970. */
  readonly fromMs: number;
}

/**
 * All alarms of a deployment with their latest changes; those in `ALARM` first.
 *
 * @throws DependencyError when CloudWatch does not answer.
 */
export async function readAlerts(
  client: CloudWatchClient,
  { prefix, fromMs }: AlertQuestion,
): Promise<Alert[]> {
  const [alarms, changes] = await Promise.all([
    describeAlarms(client, prefix),
    describeChanges(client, prefix, fromMs),
  ]);
  return alarms
    .map((alarm) => alertOf(alarm, changes.get(alarm.AlarmName ?? '') ?? []))
    .sort((a, b) => order.indexOf(a.state) - order.indexOf(b.state) || (a.name < b.name ? -1 : 1));
}

type AnyAlarm = MetricAlarm | CompositeAlarm;

async function describeAlarms(client: CloudWatchClient, prefix: string): Promise<AnyAlarm[]> {
  const found: AnyAlarm[] = [];
  let token: string | undefined;
  for (let page = 0; page < mostPages; page += 1) {
    const answer = await onDependency('CloudWatch', 'DescribeAlarms', () =>
      client.send(
        new DescribeAlarmsCommand({
          AlarmNamePrefix: prefix,
          AlarmTypes: ['MetricAlarm', 'CompositeAlarm'],
          MaxRecords: pageSize,
          NextToken: token,
        }),
      ),
    );
    found.push(...(answer.MetricAlarms ?? []), ...(answer.CompositeAlarms ?? []));
    token = answer.NextToken;
    if (token === undefined) break;
  }
  return found;
}

async function describeChanges(
  client: CloudWatchClient,
  prefix: string,
  fromMs: number,
): Promise<Map<string, AlertChange[]>> {
  const byAlarm = new Map<string, AlertChange[]>();
  let token: string | undefined;
  for (let page = 0; page < mostPages; page += 1) {
    const answer = await onDependency('CloudWatch', 'DescribeAlarmHistory', () =>
      client.send(
        new DescribeAlarmHistoryCommand({
          AlarmTypes: ['MetricAlarm', 'CompositeAlarm'],
          HistoryItemType: 'StateUpdate',
          StartDate: new Date(fromMs),
          ScanBy: 'TimestampDescending',
          MaxRecords: pageSize,
          NextToken: token,
        }),
      ),
    );
    for (const item of answer.AlarmHistoryItems ?? []) {
      const change = changeOf(item);
      if (change === undefined || !item.AlarmName?.startsWith(prefix)) continue;
      const changes = byAlarm.get(item.AlarmName) ?? [];
      if (changes.length < mostChanges) changes.push(change);
      byAlarm.set(item.AlarmName, changes);
    }
    token = answer.NextToken;
    if (token === undefined) break;
  }
  return byAlarm;
}

const stateChange = z.object({ stateValue: alarmStateSchema, stateReason: z.string().optional() });
const historyData = z.object({ oldState: stateChange.optional(), newState: stateChange });

function changeOf({ Timestamp, HistoryData }: AlarmHistoryItem): AlertChange | undefined {
  const { data } = historyData.safeParse(jsonOf(HistoryData));
  if (data === undefined || Timestamp === undefined) return undefined;
  return {
    at: Timestamp.toISOString(),
    from: data.oldState?.stateValue ?? null,
    to: data.newState.stateValue,
    reason: data.newState.stateReason ?? null,
  };
}

const reasonData = z.object({ recentDatapoints: z.array(z.number().nullable()) });

function alertOf(alarm: AnyAlarm, history: AlertChange[]): Alert {
  const { text, runbook } = readDescription(alarm.AlarmDescription);
  const { data } = reasonData.safeParse(jsonOf(alarm.StateReasonData));
  const since = alarm.StateTransitionedTimestamp ?? alarm.StateUpdatedTimestamp ?? new Date(0);
  return {
    name: alarm.AlarmName ?? '',
    description: text,
    state: alarmStateSchema.catch('INSUFFICIENT_DATA').parse(alarm.StateValue),
    since: since.toISOString(),
    reason: alarm.StateReason ?? null,
    runbook,
    threshold: 'Threshold' in alarm ? (alarm.Threshold ?? null) : null,
    datapoints: (data?.recentDatapoints ?? []).filter((value) => value !== null),
    notifies: alarm.ActionsEnabled ?? false,
    history,
  };
}

function jsonOf(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}
