import type * as z from 'zod';
import { tenantOf, type Websites } from '../../functions/cdn/analytics/tenants.ts';
import type { CdnConfig } from './cdn.ts';

/** Room that a function's environment variables have for websites, in bytes. */
const roomForWebsites = 2_500;
const tooManyWebsites = `take more than ${roomForWebsites} bytes, which functions have room for: use tenantHosts`;

/** What the CDN takes from a deployment's settings. */
interface Deployment {
  readonly cdn: CdnConfig;
  readonly edge?:
    | {
        readonly websites: readonly { readonly name: string; readonly domains: readonly string[] }[];
        readonly signing?: unknown;
      }
    | undefined;
  readonly region?: string | undefined;
  readonly lambdaConcurrency: number;
}

/**
 * Whose websites are behind which host names, as functions are told it: those of `cdn.analytics`, and what `edge.websites` and
 * `cdn.provider.websites` say anyway.
 */
export function websitesOf({ cdn, edge }: Pick<Deployment, 'cdn' | 'edge'>): Websites {
  const { tenantHosts: patterns, websites } = cdn.analytics;
  const names = (of: (website: (typeof websites)[number]) => readonly string[]) =>
    websites.flatMap((website) => of(website).map((name) => [name, website.tenant] as const));
  const known = [
    ...(edge?.websites ?? []).flatMap(({ name, domains }) => domains.map((host) => [host, name] as const)),
    ...(cdn.provider?.websites ?? []).flatMap(({ website, tenant }) =>
      tenant === undefined ? [] : [[website, tenant] as const],
    ),
  ];
  const byPattern = { patterns, hosts: {}, distributionTenants: {} };
  return {
    patterns,
    hosts: Object.fromEntries([
      ...known.filter(([host, tenant]) => tenantOf(byPattern, host, '') !== tenant),
      ...names(({ hosts }) => hosts),
    ]),
    distributionTenants: Object.fromEntries(names(({ distributionTenants }) => distributionTenants)),
  };
}

/** The distributions that were there before and whose logs are to be delivered. */
export function loggedDistributions({ provider }: CdnConfig): string[] {
  if (provider?.kind !== 'cloudfront' || !provider.accessLogs) return [];
  return [...new Set([provider.distributionId, ...provider.websites.map(({ id }) => id)])];
}

/** What AWS lets nobody reserve of the concurrent executions of an account. */
const unreserved = 100;
const usualConcurrency = 10;

/** How many logs are counted at the same time; nothing where nothing can be reserved for that. */
export function logConcurrencyOf({ cdn, lambdaConcurrency }: Pick<Deployment, 'cdn' | 'lambdaConcurrency'>) {
  const { logConcurrency } = cdn.analytics;
  if (logConcurrency !== undefined) return logConcurrency;
  return lambdaConcurrency >= unreserved + usualConcurrency ? usualConcurrency : undefined;
}

/** Refuses settings of the CDN that contradict others, or that functions have no room for. */
export function checkCdn(config: Deployment, context: z.RefinementCtx): void {
  const { cdn, edge, region, lambdaConcurrency } = config;
  const refuse = (path: string[], message: string) =>
    context.addIssue({ code: 'custom', path: ['cdn', ...path], message });
  const ownKey = edge?.signing !== undefined && cdn.provider === undefined;
  if (Buffer.byteLength(JSON.stringify(websitesOf(config))) > roomForWebsites) {
    refuse(['analytics', 'websites'], tooManyWebsites);
  }
  if (cdn.signing !== undefined && cdn.signing.publicKeyId === undefined && !ownKey) {
    refuse(['signing', 'publicKeyId'], 'is needed unless it is the key of edge.signing');
  }
  if (loggedDistributions(cdn).length > 0 && region === undefined) {
    refuse(['provider', 'accessLogs'], 'reads values of another region: set region as well');
  }
  const { logConcurrency = 0 } = cdn.analytics;
  if (logConcurrency > 0 && lambdaConcurrency < unreserved + logConcurrency) {
    refuse(['analytics', 'logConcurrency'], `needs a lambdaConcurrency of ${unreserved + logConcurrency}`);
  }
}
