import { Duration } from 'aws-cdk-lib';
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
  new Alarm(fn, 'Errors', {
    notifications,
    name: `function-errors-${name}`,
    description: `The function ${name} fails in the background.`,
    runbook: 'function-errors',
    metric: fn.function.metricErrors({ period }),
    threshold: thresholds.functionErrors,
  });
  new Alarm(fn, 'Throttles', {
    notifications,
    name: `function-throttles-${name}`,
    description: `Lambda does not start the function ${name}: the account's concurrency is used up.`,
    runbook: 'function-throttles',
    metric: fn.function.metricThrottles({ period }),
    threshold: thresholds.functionThrottles,
  });
}
