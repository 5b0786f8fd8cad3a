import * as z from 'zod';
import { integer, type Profile } from './parts.ts';

const shiftSchema = z.enum([
  'all-at-once',
  'canary-10-percent-5-minutes',
  'canary-10-percent-10-minutes',
  'canary-10-percent-15-minutes',
  'canary-10-percent-30-minutes',
  'linear-10-percent-every-minute',
  'linear-10-percent-every-2-minutes',
  'linear-10-percent-every-3-minutes',
  'linear-10-percent-every-10-minutes',
]);

/** How calls move to new code. */
export type Shift = z.output<typeof shiftSchema>;

/** How a deployment replaces running code, and when it goes back by itself. */
export const deploymentSettingsSchema = (profile: Profile) =>
  z.strictObject({
    shift: shiftSchema
      .default(profile === 'production' ? 'canary-10-percent-5-minutes' : 'all-at-once')
      .describe(
        'How calls move to new code of the API functions. Other than `all-at-once`, an alarm on the way takes them back to the old code.',
      ),
    serverErrors: integer(1, 100_000)
      .default(5)
      .describe('Answers with a 5xx status within one minute that raise api-server-errors and end a shift.'),
  });
