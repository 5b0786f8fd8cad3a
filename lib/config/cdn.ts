import * as z from 'zod';
import { hostPattern } from '../../functions/cdn/analytics/tenants.ts';
import type { cloudflarePlans } from '../../functions/cdn/providers/settings.ts';
import { hostname } from './domain.ts';
import { integer } from './parts.ts';

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
    accessLogs: z
      .boolean()
      .default(false)
      .describe(
        'Have the logs of these distributions delivered, by a stack in us-east-1. CloudFront has one delivery source for a distribution: off where there is one already.',
      ),
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

const websiteSchema = z.strictObject({
  tenant: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/, 'letters, digits and . _ -')
    .describe('The tenant’s id.'),
  hosts: z.array(hostPattern).max(100).default([]).describe('Host names of its website.'),
  distributionTenants: z
    .array(z.string().min(1).max(128))
    .max(20)
    .default([])
    .describe('Ids of its distribution tenants, where CloudFront logs no host name of its own.'),
});

const namesSchema = z.strictObject({
  tenantHosts: z
    .array(hostPattern.startsWith('{tenant}.', 'begins with {tenant}.'))
    .max(20)
    .default([])
    .describe('Host names whose first label is the tenant, such as `{tenant}.sites.example.com`.'),
  websites: z
    .array(websiteSchema)
    .max(100)
    .default([])
    .describe('Whose websites are behind which other host names.'),
});

const analyticsSchema = z
  .strictObject({
    logConcurrency: integer(1, 1_000)
      .optional()
      .describe(
        'Logs that are counted at the same time; the rest waits. It is reserved from `lambdaConcurrency`, of which AWS keeps 100 back. Default: 10 where there is room, else no limit of its own.',
      ),
    hourlyDays: integer(3, 90).default(35).describe('How long traffic is kept by the hour, in days.'),
    dailyDays: integer(3, 3650).default(400).describe('How long traffic is kept by the day, in days.'),
    ...namesSchema.shape,
  })
  .refine(({ hourlyDays, dailyDays }) => dailyDays >= hourlyDays, {
    path: ['dailyDays'],
    message: 'days are kept at least as long as hours',
  });

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
      publicKeyId: id
        .optional()
        .describe(
          'Of the public key in the key group that CloudFront trusts. Default: that of `edge.signing`.',
        ),
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
  analytics: analyticsSchema.prefault({}),
  alarms: z
    .strictObject({
      hitRatePercent: integer(0, 100)
        .default(50)
        .describe('Hit rate below which an alarm is raised; 0 for none.'),
      serverErrorPercent: integer(1, 100)
        .default(5)
        .describe('Share of answers with a status of 500 or more above which an alarm is raised.'),
      minimumRequests: integer(1, 1_000_000_000)
        .default(1_000)
        .describe('Requests within 15 minutes below which neither of the two is raised.'),
      ingestLagMinutes: integer(1, 1_440)
        .default(15)
        .describe('How long a log may have lain there when it is counted.'),
    })
    .prefault({}),
});

/** The settings of the CDN. */
export type CdnConfig = z.output<typeof cdnSchema>;
