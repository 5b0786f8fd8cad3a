import * as z from 'zod';
import { integer } from './parts.ts';

/** When the platform hurts its users. */
export const monitoringSchema = z.strictObject({
  errorRatePercent: z
    .number()
    .gt(0)
    .max(100)
    .default(5)
    .describe(
      'Share of server errors among the API’s answers within five minutes that raises an alarm, in percent.',
    ),
  averageMs: integer(1, 28_000)
    .default(2_000)
    .describe('Average time to answer that raises an alarm, in ms.'),
  minimumRequests: integer(1, 1_000_000)
    .default(20)
    .describe(
      'Requests that a period needs before its rates raise an alarm: one that fails at night wakes nobody.',
    ),
  objectivePercent: z
    .number()
    .min(90)
    .max(99.999)
    .default(99.9)
    .describe(
      'Share of answers of 30 days that are to be without server error, in percent. What it leaves is the budget of errors.',
    ),
  memoryPercent: integer(50, 100)
    .default(90)
    .describe(
      'Share of its memory that a function, or a database, may use before an alarm is raised, in percent.',
    ),
  cloudWatchMinutes: integer(5, 60)
    .default(10)
    .describe(
      'How often that which only CloudWatch has is read for Prometheus, in minutes. It is read while somebody asks for metrics, and costs by the metric.',
    ),
});

/** The settings of monitoring. */
export type MonitoringConfig = z.output<typeof monitoringSchema>;
