import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import type { MonitoringConfig } from '../config/monitoring.ts';
import { Alarm } from '../constructs/alarm.ts';
import { CompositeAlarm } from '../constructs/composite-alarm.ts';
import type { HttpApi } from '../constructs/http-api.ts';
import type { Notifications } from '../constructs/notifications.ts';

export interface RequestAlarmsProps {
  api: HttpApi;
  config: MonitoringConfig;
  notifications: Notifications;
}

const over = { comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD };

/**
 * Says when callers get errors, when answers are slow, and when the budget of errors burns. Each counts only while there is enough
 * traffic that a rate means something: one failed request at night wakes nobody.
 */
export function addRequestAlarms(scope: Construct, props: RequestAlarmsProps): void {
  const { api, config, notifications } = props;
  const { errorRatePercent, averageMs, minimumRequests } = config;
  const period = Duration.minutes(5);
  new Alarm(scope, 'ErrorRate', {
    name: 'error-rate',
    description: `More than ${errorRatePercent} % of the API's answers within five minutes are server errors.`,
    runbook: 'error-rate',
    notifications,
    metric: errorPercent(api, period, minimumRequests),
    threshold: errorRatePercent,
    ...over,
  });
  new Alarm(scope, 'SlowAnswers', {
    name: 'slow-answers',
    description: `The API takes more than ${averageMs} ms to answer, on average over five minutes, twice in a row.`,
    runbook: 'slow-answers',
    notifications,
    metric: new cloudwatch.MathExpression({
      expression: `IF(FILL(requests, 0) >= ${minimumRequests}, latency, 0)`,
      label: 'Average latency (ms)',
      period,
      usingMetrics: {
        requests: api.api.metricCount({ period }),
        latency: api.api.metricLatency({ period, statistic: cloudwatch.Stats.AVERAGE }),
      },
    }),
    threshold: averageMs,
    evaluationPeriods: 2,
    ...over,
  });
  addBudgetAlarm(scope, props);
}

/**
 * How fast the budget of errors of thirty days burns: so many times faster than it may, over a long window, and over a short one too, so that
 * the alarm ends soon after the errors do. Windows and factors are those of Google's “The Site Reliability Workbook”, chapter 5, that call somebody.
 */
const burns = [
  { name: 'fast', factor: 14.4, windows: [Duration.minutes(5), Duration.hours(1)] },
  { name: 'slow', factor: 6, windows: [Duration.minutes(30), Duration.hours(6)] },
] as const;

function addBudgetAlarm(scope: Construct, { api, config, notifications }: RequestAlarmsProps): void {
  const { objectivePercent, minimumRequests } = config;
  const rules = burns.map(({ name, factor, windows }) => {
    const threshold = Math.round(factor * (100 - objectivePercent) * 1e6) / 1e6;
    const parts = windows.map((window) => {
      const { alarm } = new Alarm(scope, `Burn-${name}-${window.toMinutes()}`, {
        name: `budget-burn-${name}-${window.toMinutes()}m`,
        description: `More than ${threshold} % of the answers of ${window.toHumanString()} are server errors. budget-burn tells of it when it holds over both windows.`,
        runbook: 'budget-burn',
        notifications,
        metric: errorPercent(api, window, minimumRequests),
        threshold,
        silent: true,
        ...over,
      });
      return cloudwatch.AlarmRule.fromAlarm(alarm, cloudwatch.AlarmState.ALARM);
    });
    return cloudwatch.AlarmRule.allOf(...parts);
  });
  new CompositeAlarm(scope, 'BudgetBurn', {
    name: 'budget-burn',
    description: `Server errors use up the budget of errors that ${objectivePercent} % leave much faster than 30 days allow.`,
    runbook: 'budget-burn',
    notifications,
    rule: cloudwatch.AlarmRule.anyOf(...rules),
  });
}

/** Percent of the answers that are server errors; 0 while there are too few of them. */
function errorPercent(api: HttpApi, period: Duration, minimumRequests: number): cloudwatch.MathExpression {
  return new cloudwatch.MathExpression({
    expression: `IF(FILL(requests, 0) >= ${minimumRequests}, 100 * errors / requests, 0)`,
    label: 'Server errors (%)',
    period,
    usingMetrics: {
      requests: api.api.metricCount({ period }),
      errors: api.api.metricServerError({ period, statistic: cloudwatch.Stats.SUM }),
    },
  });
}
