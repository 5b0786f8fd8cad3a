import * as z from 'zod';
import { alarmStateSchema } from '../../access/webhooks/events.ts';
import type { RouteContract } from '../../shared/contract.ts';

const changeSchema = z.strictObject({
  at: z.iso.datetime(),
  from: alarmStateSchema.nullable(),
  to: alarmStateSchema,
  reason: z.string().nullable(),
});

const alertSchema = z
  .strictObject({
    name: z.string().meta({ examples: ['mainstay-production-backup-missed'] }),
    description: z.string().nullable(),
    state: alarmStateSchema,
    since: z.iso.datetime().describe('When it came into this state.'),
    reason: z.string().nullable(),
    runbook: z.string().nullable().describe('Where it is written what to do.'),
    threshold: z
      .number()
      .nullable()
      .describe('What its metric is compared with; null for what has no single one.'),
    datapoints: z.array(z.number()).describe('The values that decided, the latest last.'),
    notifies: z.boolean().describe('Whether its actions are switched on.'),
    history: z.array(changeSchema).describe('Its changes of state, the latest first.'),
  })
  .meta({ title: 'Alarm' });
export type Alert = z.output<typeof alertSchema>;
export type AlertChange = z.output<typeof changeSchema>;

/** The routes of alarms. */
export const alertRoutes = {
  alerts: {
    method: 'GET',
    path: '/api/monitoring/alerts',
    scope: 'admin',
    summary: 'The alarms: what is wrong, since when, what to do',
    description:
      'Those in `ALARM` first, then those without data, each by name. The answer is at most ten seconds old.',
    query: z.strictObject({
      state: alarmStateSchema.optional().describe('Only alarms in this state.'),
      hours: z.coerce
        .number()
        .int()
        .min(0)
        .max(336)
        .default(24)
        .describe('How far the history reaches back; CloudWatch keeps two weeks.'),
    }),
    responses: {
      200: {
        description: 'All alarms of the deployment in its region.',
        schema: z.strictObject({
          checkedAt: z.iso.datetime(),
          states: z.strictObject({ ALARM: z.int(), INSUFFICIENT_DATA: z.int(), OK: z.int() }),
          alerts: z.array(alertSchema),
        }),
      },
    },
  },
} as const satisfies Record<string, RouteContract>;
