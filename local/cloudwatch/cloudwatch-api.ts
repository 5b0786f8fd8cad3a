import type { JsonApi } from '../aws/api.ts';
import type { Clock } from '../scheduler/clock.ts';
import { alarmOperations } from './alarm-operations.ts';
import type { Alarms } from './alarms.ts';
import { metricOperations } from './metric-operations.ts';
import type { Metrics } from './metrics.ts';

/** The operations of CloudWatch that are emulated. */
export function cloudWatchApi(metrics: Metrics, alarms: Alarms, clock: Clock): JsonApi {
  return {
    protocol: 'json',
    signingName: 'monitoring',
    targetPrefix: 'GraniteServiceVersion20100801',
    jsonVersion: '1.0',
    operations: { ...metricOperations(metrics, clock), ...alarmOperations(alarms) },
  };
}
