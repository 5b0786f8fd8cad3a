import { z } from 'zod';
import { integer, type Profile } from './parts.ts';

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
    corsOrigins: z
      .array(z.url({ protocol: /^https?$/ }).or(z.literal('*')))
      .default([])
      .describe('Origins whose pages may call the API from a browser. None: no CORS headers at all.'),
    throttle: throttleSchema(profile).prefault({}),
  });
