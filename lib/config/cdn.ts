import * as z from 'zod';
import type { cloudflarePlans } from '../../functions/cdn/providers/settings.ts';
import { hostname } from './domain.ts';

const id = z
  .string()
  .max(64)
  .regex(/^[A-Za-z0-9]+$/, 'has letters and digits only');
const secretArn = z
  .string()
  .regex(/^arn:[^:]+:secretsmanager:[^:]+:\d{12}:secret:.+$/, 'is not the ARN of a secret');

const websites = z
  .array(
    z.strictObject({
      website: hostname,
      tenant: z.string().min(1).max(63).optional().describe('The tenant that it belongs to.'),
      id: id.describe('Of its own distribution, zone or service.'),
    }),
  )
  .max(20)
  .default([])
  .describe('Websites whose distribution, zone or service is their own.');
const domain = hostname.describe('Host name under which the edge answers.');
const token = secretArn.describe('Secret whose text is the API token.');

const providerSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('cloudfront'),
    domain,
    distributionId: id.describe('A distribution that exists already.'),
    websites,
  }),
  z.strictObject({
    kind: z.literal('cloudflare'),
    domain,
    zoneId: id,
    tokenSecretArn: token,
    plan: z
      .enum(['free', 'pro', 'business', 'enterprise'] satisfies (keyof typeof cloudflarePlans)[])
      .default('free')
      .describe('How many purges per second are sent.'),
    websites,
  }),
  z.strictObject({ kind: z.literal('fastly'), domain, serviceId: id, tokenSecretArn: token, websites }),
]);

/** The CDN: what stands behind `/api/cdn`. */
export const cdnSchema = z.strictObject({
  provider: providerSchema
    .optional()
    .describe('Whose edge it is. Without it, the distribution of `edge`, or none where there is no `edge`.'),
  multiTenant: z
    .boolean()
    .default(false)
    .describe(
      'Websites are distribution tenants of the CloudFront distribution, with the tenant as their name.',
    ),
  queryStrings: z
    .enum(['ignored', 'kept'])
    .default('ignored')
    .describe('`kept`: the edge serves something else when the query string differs.'),
  signing: z
    .strictObject({
      publicKeyId: id.describe('Of the public key in the key group that CloudFront trusts.'),
      privateKeySecretArn: secretArn.describe('Secret whose text is the private key, in PEM.'),
    })
    .optional()
    .describe('What URLs are signed with; CloudFront alone.'),
  locations: z
    .array(
      z.strictObject({
        name: z
          .string()
          .regex(/^[A-Za-z0-9-]{1,40}$/, 'has letters, digits and hyphens')
          .describe('What it is called.'),
        address: z
          .string()
          .max(253)
          .regex(/^[a-z0-9.-]+(:\d{1,5})?$/, 'is a host name or an address')
          .describe('Where to connect to.'),
      }),
    )
    .max(20)
    .default([])
    .describe('Edge locations of CloudFront that are warmed one by one. Without them, the nearest one is.'),
  warming: z
    .strictObject({
      userPaths: z
        .array(
          z
            .string()
            .regex(/^\/.*\{userId\}/, 'begins with a slash and has {userId}')
            .max(1_000),
        )
        .max(20)
        .default([])
        .describe('Paths of one user, with `{userId}` where the id stands.'),
      requestsPerSecond: z
        .number()
        .int()
        .min(1)
        .max(1_000)
        .default(50)
        .describe('How many requests are begun within a second at most.'),
    })
    .prefault({}),
  purgeChangedContent: z
    .boolean()
    .default(true)
    .describe('What changes in the assets bucket is purged from the edge within a minute.'),
});

/** The settings of the CDN. */
export type CdnConfig = z.output<typeof cdnSchema>;
