import * as z from 'zod';
import { assertionsSchema } from '../../functions/recovery/drill/assertion.ts';
import { integer, type Profile, scheduleExpression } from './parts.ts';

/** How restores are rehearsed, and what they are measured by. */
export const drillSchema = (profile: Profile) =>
  z.strictObject({
    scheduled: z
      .boolean()
      .default(profile === 'production')
      .describe('Whether drills run by schedule. By request they run in any case.'),
    schedule: scheduleExpression
      .default('cron(0 4 ? * SUN *)')
      .describe('When a drill starts, in UTC. Default: Sundays at 04:00.'),
    restorePoint: z
      .enum(['latest', 'random'])
      .default('latest')
      .describe('What a scheduled drill restores: the newest complete backup, or any.'),
    missedAfterHours: integer(2, 8_784)
      .default(192)
      .describe('Without a completed drill for this long the alarm drill-missed is raised, in hours.'),
    rpoMinutes: integer(1, 525_600)
      .default(1_560)
      .describe(
        'The age of the newest backup that a drill may find, in minutes. Default: 26 hours, as backup.missedAfterHours.',
      ),
    rtoMinutes: integer(1, 525_600)
      .default(240)
      .describe('The time that a restore and its checks may take in a drill, in minutes.'),
    statementTimeoutSeconds: integer(1, 600)
      .default(300)
      .describe('The time that one query of a check or of an assertion may take, in seconds.'),
    accepted: z
      .array(z.string().min(1).max(400))
      .max(100)
      .default([])
      .describe('Objects whose findings do not fail a drill, written as in its report.'),
    assertions: assertionsSchema.default([]).describe('What has to be true of the restored data.'),
  });
