import * as z from 'zod';

/** A host name, in which `{tenant}` may stand for one label: that of the tenant. */
export const hostPattern = z
  .string()
  .max(253)
  .regex(
    /^(\{tenant\}|[a-z0-9]([a-z0-9-]*[a-z0-9])?)(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$/,
    'a host name in lower case, or one that begins with {tenant}.',
  );

/** Whose websites are behind which host names and distribution tenants. */
export const websitesSchema = z.strictObject({
  patterns: z.array(hostPattern.startsWith('{tenant}.')).max(20),
  hosts: z.record(z.string(), z.string()),
  distributionTenants: z.record(z.string(), z.string()),
});
export type Websites = z.output<typeof websitesSchema>;

/** The tenant of a line that belongs to none. */
export const noTenant = '';

/** The tenant that a host name or a distribution tenant belongs to; `noTenant` where nobody says. */
export function tenantOf(
  { patterns, hosts, distributionTenants }: Websites,
  host: string,
  site: string,
): string {
  const name = host.toLowerCase().replace(/:\d+$/, '');
  const known = own(hosts, name) ?? own(distributionTenants, site);
  if (known !== undefined) return known;
  const dot = name.indexOf('.');
  if (dot < 1) return noTenant;
  return patterns.includes(`{tenant}${name.slice(dot)}`) ? name.slice(0, dot) : noTenant;
}

const own = (record: Readonly<Record<string, string>>, key: string) =>
  Object.hasOwn(record, key) ? record[key] : undefined;
