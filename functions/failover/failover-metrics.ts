import { MetricUnit } from '@aws-lambda-powertools/metrics';
import type { InvocationContext } from '../shared/http-handler.ts';
import type { Concluded } from './conclude.ts';

/** Counts how an operation ended and, of one that was completed, what it cost. */
export function countConcluded(
  metrics: InvocationContext['metrics'],
  { outcome, last }: Pick<Concluded, 'outcome' | 'last'>,
): void {
  if (outcome === 'nothing-to-do') return;
  if (outcome === 'failed') {
    metrics.addMetric('FailoversFailed', MetricUnit.Count, 1);
    return;
  }
  metrics.addMetric('FailoversCompleted', MetricUnit.Count, 1);
  if (typeof last?.rtoMs === 'number')
    metrics.addMetric('FailoverRtoMs', MetricUnit.Milliseconds, last.rtoMs);
  if (typeof last?.rpoBytes === 'number')
    metrics.addMetric('FailoverRpoBytes', MetricUnit.Bytes, last.rpoBytes);
}
