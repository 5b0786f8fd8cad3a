import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { capabilityMetric } from '../constructs/capability-metric.ts';
import { graph, period } from './graphs.ts';

const { MAXIMUM, MINIMUM } = cloudwatch.Stats;

/** Rows of what the edge, access, tracing and metrics publish of themselves. */
export function capabilityWidgets(environment: string): cloudwatch.IWidget[][] {
  const about = (
    capability: string,
    title: string,
    left: Readonly<Record<string, string | undefined>>,
    right: Readonly<Record<string, string | undefined>> = {},
  ) => {
    const metrics = (named: typeof left) =>
      Object.entries(named).map(([name, statistic]) =>
        capabilityMetric(environment, capability, name, period, statistic),
      );
    return graph(title, metrics(left), metrics(right));
  };
  const sum = undefined;
  return [
    [
      about(
        'cdn',
        'Edge: requests, hits, misses; errors',
        { EdgeRequests: sum, EdgeHits: sum, EdgeMisses: sum },
        { EdgeServerErrors: sum },
      ),
      about('cdn', 'Edge: bytes sent; age of the logs (ms)', { EdgeBytes: sum }, { LogAge: MINIMUM }),
      about(
        'cdn',
        'Purges and warming; how long purges take (ms)',
        { PurgesCompleted: sum, PurgesFailed: sum, WarmingRequests: sum, WarmingRequestsFailed: sum },
        { PurgeMs: MAXIMUM },
      ),
    ],
    [
      about('access', 'Webhooks', {
        WebhookAttempts: sum,
        WebhookDeliveriesCompleted: sum,
        WebhookDeliveriesFailed: sum,
        WebhooksDisabled: sum,
      }),
      about(
        'access',
        'Audit trail: verified; broken, lost',
        { AuditEntriesVerified: sum },
        { AuditChainsBroken: sum, AuditEntriesLost: sum },
      ),
      about(
        'metrics',
        'Metrics of services; new kinds of error',
        { DataPointsTaken: sum, DataPointsRejected: sum },
        { NewErrorPatterns: sum },
      ),
    ],
    [
      about('tracing', 'Spans', {
        SpansStored: sum,
        SpansInvalid: sum,
        SpansTooOld: sum,
        SpansAhead: sum,
        SpansShortened: sum,
      }),
      about(
        'tracing',
        'The canary of traces: lost; delay (ms)',
        { CanaryLost: sum },
        { CanaryDelayMs: MAXIMUM },
      ),
      about('metrics', 'Memory that a function has used (%)', { PeakMemoryPercent: MAXIMUM }),
    ],
  ];
}
