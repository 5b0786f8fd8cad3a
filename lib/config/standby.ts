import * as z from 'zod';
import { integer, regionName } from './parts.ts';

/** A second region that holds a copy of every backup and the keys to open it. */
export const standbySchema = z.strictObject({
  region: regionName.describe(
    'The second region. Without `standby`, backups are in one region. Never change it: the copies stay where they are.',
  ),
  keepDays: integer(1, 3650)
    .default(90)
    .describe(
      'How long a copy is kept, in days from when the original was stored. Deletions are not replicated, so a copy ends by this alone.',
    ),
  lagMinutes: integer(15, 1440)
    .default(30)
    .describe('A copy that lags this many minutes behind its original raises the alarm replication-lag.'),
});

/** The settings of a standby region. */
export type StandbyConfig = z.output<typeof standbySchema>;
