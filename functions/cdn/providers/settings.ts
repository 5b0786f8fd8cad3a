import * as z from 'zod';

const id = z.string().min(1).max(128);
const domain = z
  .string()
  .max(253)
  .regex(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?$/, 'is not a host name');

/** Websites whose distribution, zone or service is their own. */
const websites = z
  .array(z.strictObject({ website: domain, tenant: z.string().min(1).max(63).optional(), id }))
  .max(20)
  .default([]);

/** How the edge is asked for content; what is the same for every provider. */
const common = {
  /** Host name under which the edge answers. */
  domain,
  /** Where the edge is reached. Default: by HTTPS under its domain. */
  edgeUrl: z.url({ protocol: /^https?$/ }).optional(),
  websites,
  /** Whether the edge serves something else when the query string differs. */
  queryStrings: z.enum(['ignored', 'kept']).default('ignored'),
};
const token = z.string().startsWith('arn:').describe('Secret whose text is the token.');
const apiUrl = (otherwise: string) => z.url({ protocol: /^https?$/ }).default(otherwise);

/** How many purge requests an account may send, by its plan: the rate, and how many at once. */
export const cloudflarePlans = {
  free: { perSecond: 5 / 60, burst: 25 },
  pro: { perSecond: 5, burst: 25 },
  business: { perSecond: 10, burst: 50 },
  enterprise: { perSecond: 50, burst: 500 },
} as const;

/** The provider of a deployment, as its functions are told it. */
export const providerSettingsSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('none') }),
  z.strictObject({
    kind: z.literal('cloudfront'),
    ...common,
    distributionId: id,
    /** Whether websites are tenants of it. */
    multiTenant: z.boolean().default(false),
    /** Edge locations that can be asked one by one: a name, and the address to connect to. */
    locations: z
      .array(z.strictObject({ name: z.string().min(1).max(40), address: domain }))
      .max(20)
      .default([]),
  }),
  z.strictObject({
    kind: z.literal('cloudflare'),
    ...common,
    zoneId: id,
    tokenSecretArn: token,
    plan: z.enum(['free', 'pro', 'business', 'enterprise']).default('free'),
    apiUrl: apiUrl('https://api.cloudflare.com/client/v4'),
  }),
  z.strictObject({
    kind: z.literal('fastly'),
    ...common,
    serviceId: id,
    tokenSecretArn: token,
    apiUrl: apiUrl('https://api.fastly.com'),
  }),
]);
export type ProviderSettings = z.output<typeof providerSettingsSchema>;
export type SettingsOf<K extends ProviderSettings['kind']> = Extract<ProviderSettings, { kind: K }>;

/** Where the edge of a host is reached: under its own name, or where the settings say that of the deployment is. */
export function edgeUrlOf(settings: Exclude<ProviderSettings, { kind: 'none' }>, domain: string): string {
  const { edgeUrl } = settings;
  return edgeUrl !== undefined && domain === settings.domain
    ? edgeUrl.replace(/\/$/, '')
    : `https://${domain}`;
}
