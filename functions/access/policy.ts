import * as z from 'zod';
import { jsonVariable } from '../shared/json-variable.ts';

const count = (max: number) => z.int().min(1).max(max);

/** How requests are counted: over a window that moves with time, or against a bucket that refills steadily. */
export const algorithmSchema = z.enum(['sliding-window', 'token-bucket']);
export type Algorithm = z.output<typeof algorithmSchema>;

/** What a key's owner has agreed on; each tier has a number of requests per minute. */
export const tiers = ['free', 'starter', 'professional', 'enterprise'] as const;
export const tierSchema = z.enum(tiers);
export type Tier = z.output<typeof tierSchema>;

const network = z
  .union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()])
  .meta({ examples: ['203.0.113.7', '2001:db8::/32'] });
const networks = z.array(network).max(50);

const routeLimitSchema = z.strictObject({
  route: z
    .string()
    .regex(
      /^(GET|POST|PUT|PATCH|DELETE) \/\S*$/,
      'write method and path of a route, such as POST /api/cdn/purge',
    )
    .describe('A route of the API, as its description writes it.'),
  per: z
    .enum(['key', 'user', 'tenant', 'address'])
    .describe(
      'Who has this limit for themselves. `user`: the header `mainstay-user`, within its key; without it, the key.',
    ),
  requests: count(1_000_000).describe('How many of them there may be in a window.'),
  windowSeconds: count(86_400).describe('Length of the window, in seconds.'),
  algorithm: algorithmSchema.default('sliding-window').describe('How they are counted.'),
});

/** Who is let in, and how often. Numbers are upper bounds for everybody together, not for one function. */
export const accessPolicySchema = z.strictObject({
  algorithm: algorithmSchema.default('sliding-window').describe('How the requests of a tier are counted.'),
  tiers: z
    .strictObject({
      free: count(1_000_000).default(100).describe('Requests per minute of a key of this tier.'),
      starter: count(1_000_000).default(1_000).describe('Requests per minute of a key of this tier.'),
      professional: count(1_000_000).default(5_000).describe('Requests per minute of a key of this tier.'),
      enterprise: count(1_000_000).default(50_000).describe('Requests per minute of a key of this tier.'),
    })
    .prefault({})
    .describe('Requests per minute and key.'),
  withoutKey: z
    .strictObject({
      requests: count(1_000_000).default(100).describe('How many of them an address may send in a window.'),
      windowMinutes: count(1_440).default(15).describe('Length of the window, in minutes.'),
    })
    .prefault({})
    .describe('Requests without a valid key, per address; IPv6 by /64. Liveness and readiness do not count.'),
  failedCredentials: z
    .strictObject({
      attempts: count(1_000_000).default(5).describe('How many of them an address may send in a window.'),
      windowMinutes: count(1_440).default(15).describe('Length of the window, in minutes.'),
    })
    .prefault({})
    .describe(
      'Refused keys per address, IPv6 by /64. Beyond it no unknown key of that address is looked at.',
    ),
  routes: z.array(routeLimitSchema).max(20).default([]).describe('Further limits of single routes.'),
  allow: networks
    .default([])
    .describe('Where not empty: the only addresses and networks that may call the API.'),
  deny: networks
    .default([])
    .describe(
      'Addresses and networks that may not call the API; they win over `allow`. Liveness and readiness answer everybody.',
    ),
  idempotencyHours: count(168)
    .default(24)
    .describe('How long an answer is kept for a request that is repeated with its `Idempotency-Key`.'),
});
export type AccessPolicy = z.output<typeof accessPolicySchema>;

/** The environment variable by which functions know the policy. */
export const ACCESS_POLICY = jsonVariable
  .pipe(accessPolicySchema)
  .describe('Limits and address lists, as JSON.');
