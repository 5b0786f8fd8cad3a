import * as z from 'zod';
import { certificateArn, domainProblems, hostedZoneSchema, hostname } from './domain.ts';
import { integer, type Profile } from './parts.ts';

const domainSchema = z
  .strictObject({
    name: hostname.describe(
      'Host name of the API. With it, the API answers under no other: its execute-api address is turned off.',
    ),
    certificateArn: certificateArn
      .optional()
      .describe('An existing certificate in the deployment’s region; without it, one is made.'),
    hostedZone: hostedZoneSchema.optional(),
  })
  .superRefine((domain, context) => {
    for (const message of domainProblems([domain.name], domain)) {
      context.addIssue({ code: 'custom', path: ['name'], message });
    }
  });

const throttleSchema = (profile: Profile) =>
  z.strictObject({
    requestsPerSecond: integer(1, 10_000)
      .default(profile === 'production' ? 1000 : 50)
      .describe('Steady rate that the whole API takes, in requests per second; beyond it callers get 429.'),
    burst: integer(1, 5000)
      .default(profile === 'production' ? 2000 : 100)
      .describe('Requests that may arrive at once above the steady rate.'),
  });

/** The front door: who may call from a browser, and how much is let in. */
export const apiSchema = (profile: Profile) =>
  z.strictObject({
    domain: domainSchema.optional(),
    corsOrigins: z
      .array(z.url({ protocol: /^https?$/ }).or(z.literal('*')))
      .default([])
      .describe('Origins whose pages may call the API from a browser. None: no CORS headers at all.'),
    throttle: throttleSchema(profile).prefault({}),
  });
