import { Duration } from 'aws-cdk-lib';
import { ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import type { DeploymentConfig } from '../config/schema.ts';
import { Alarm } from './alarm.ts';
import type { BundledFunction } from './function.ts';
import type { Notifications } from './notifications.ts';

export interface FunctionAlarmsProps {
  /** The function's name, part of the alarms' names. */
  name: string;
  thresholds: Pick<DeploymentConfig['alarms'], 'functionErrors' | 'functionThrottles'>;
  notifications: Notifications;
}

/** Watches a function that runs in the background, where no caller sees its errors. */
export function watchFunction(fn: BundledFunction, props: FunctionAlarmsProps): void {
  const { name, thresholds, notifications } = props;
  const period = Duration.minutes(5);
  const common = {
    notifications,
    comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
    evaluationPeriods: 1,
    treatMissingData: TreatMissingData.NOT_BREACHING,
  };
  new Alarm(fn, 'Errors', {
    ...common,
    name: `function-errors-${name}`,
    description: `The function ${name} fails in the background.`,
    runbook: 'function-errors',
    metric: fn.function.metricErrors({ period }),
    threshold: thresholds.functionErrors,
  });
  new Alarm(fn, 'Throttles', {
    ...common,
    name: `function-throttles-${name}`,
    description: `Lambda does not start the function ${name}: the account's concurrency is used up.`,
    runbook: 'function-throttles',
    metric: fn.function.metricThrottles({ period }),
    threshold: thresholds.functionThrottles,
  });
}
