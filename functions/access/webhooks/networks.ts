import ipaddr from 'ipaddr.js';
import * as z from 'zod';
import { jsonVariable } from '../../shared/json-variable.ts';

/** A network, as address and length of its prefix. */
export type Network = ReturnType<typeof ipaddr.parseCIDR>;

/** Networks that may be called although they are not public, as a JSON array of CIDRs. */
export const WEBHOOK_PRIVATE_NETWORKS = jsonVariable
  .pipe(z.array(z.union([z.cidrv4(), z.cidrv6()])).max(20))
  .transform((networks) => networks.map((network) => ipaddr.parseCIDR(network)))
  .describe('Networks that webhooks may call although they are not public, as a JSON array of CIDRs.');

/** What IANA gives out for the public internet; all else of IPv6 is special, reserved or not yet used. */
const globalIpv6 = ipaddr.parseCIDR('2000::/3');

/**
 * What no configuration opens: addresses that stand for several hosts or for none, those that hide an IPv4 address, and
 * link-local ones, among which are the credentials of cloud machines (169.254.169.254).
 */
const neverRanges: ReadonlySet<string> = new Set([
  'broadcast',
  'ipv4Mapped',
  'linkLocal',
  'multicast',
  'unspecified',
]);
const metadataIpv6 = ipaddr.parseCIDR('fd00:ec2::254/128');

export type Reach = 'public' | 'private' | 'never';

/** Whether an address may be called by anybody, only as part of a network that was allowed, or never. */
export function reachOf(address: string): Reach {
  const parsed = ipaddr.parse(address);
  const range: string = parsed.range();
  if (neverRanges.has(range)) return 'never';
  if (parsed.kind() === 'ipv4') return range === 'unicast' ? 'public' : 'private';
  if (parsed.match(metadataIpv6)) return 'never';
  return range === 'unicast' && parsed.match(globalIpv6) ? 'public' : 'private';
}

/** Whether an address is in one of the networks. */
export function isWithin(address: string, networks: readonly Network[]): boolean {
  const parsed = ipaddr.parse(address);
  return networks.some((network) => network[0].kind() === parsed.kind() && parsed.match(network));
}
