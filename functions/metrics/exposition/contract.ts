import * as z from 'zod';
import type { RouteContract } from '../../shared/contract.ts';

const query = z.strictObject({
  quantiles: z
    .string()
    .max(100)
    .regex(
      /^(0([.]\d{1,4})?|1)(,(0([.]\d{1,4})?|1)){0,9}$/,
      'takes up to ten numbers from 0 to 1, with commas between',
    )
    .transform((text) => text.split(',').map(Number))
    .optional()
    .describe(
      'Asks for summaries with these quantiles (`0.5,0.95`) in place of histograms. Quantiles cannot be aggregated, histograms can.',
    ),
});

const scrape = (path: `/${string}`, summary: string) =>
  ({
    method: 'GET',
    path,
    scope: 'monitoring:read',
    summary,
    description:
      'Prometheus’ text format 0.0.4, or OpenMetrics 1.0 where `Accept` prefers it: with units, and exemplars that lead to traces. Counters only grow, whatever functions come and go. Counted within about two minutes; an answer serves ten seconds. A scrape reads a table, nothing of CloudWatch.',
    query,
    responses: { 200: { description: 'Metrics.', contentType: 'text/plain; version=0.0.4; charset=utf-8' } },
  }) as const satisfies RouteContract;

/** The routes that Prometheus scrapes. */
export const expositionRoutes = {
  prometheus: scrape('/api/monitoring/prometheus', 'Metrics for Prometheus'),
  metricsPage: scrape('/metrics', 'Metrics for Prometheus, where it looks for them'),
};
