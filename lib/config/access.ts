import * as z from 'zod';
import { accessPolicySchema } from '../../functions/access/policy.ts';
import { integer, type Profile } from './parts.ts';

const webhooksSchema = z.strictObject({
  privateNetworks: z
    .array(z.union([z.cidrv4(), z.cidrv6()]))
    .max(20)
    .default([])
    .describe('Networks that are not public and yet may be called by webhooks. None: public addresses only.'),
  disableAfterDays: integer(1, 30)
    .default(5)
    .describe('An endpoint that has answered nothing well for so long is disabled, in days.'),
});

/** Who may call what, how often; who is told. */
export const accessSchema = (profile: Profile) =>
  z.strictObject({
    ...accessPolicySchema.shape,
    webhooks: webhooksSchema.prefault({}),
    auditDays: integer(1, 3650)
      .default(profile === 'production' ? 730 : 90)
      .describe('How long the audit trail is kept, in days.'),
  });
