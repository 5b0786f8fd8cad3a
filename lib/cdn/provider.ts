import type * as z from 'zod';
import type { cachePolicySchema } from '../../functions/cdn/assets/model.ts';
import type { providerSettingsSchema } from '../../functions/cdn/providers/settings.ts';
import type { DeploymentConfig } from '../config/schema.ts';
import { cacheClasses, otherFiles } from '../edge/cache-classes.ts';

/** The distribution that this deployment has made. */
export interface OwnDistribution {
  readonly id: string;
  /** The host name that viewers use. */
  readonly domain: string;
  /** Whether websites are tenants of it. */
  readonly multiTenant?: boolean;
  /** Id of the key that its signed URLs name. */
  readonly signingKeyId?: string;
}

type Settings = z.input<typeof providerSettingsSchema>;

/** The provider as functions are told it: the one of the configuration, or else the deployment's own distribution. */
export function providerSettings({ cdn }: DeploymentConfig, own: OwnDistribution | undefined): Settings {
  const { provider, queryStrings, multiTenant, locations } = cdn;
  if (provider === undefined) {
    if (own === undefined) return { kind: 'none' };
    const { id: distributionId, domain } = own;
    return {
      ...{ kind: 'cloudfront', domain, distributionId, queryStrings, locations },
      multiTenant: multiTenant || own.multiTenant === true,
    };
  }
  if (provider.kind === 'cloudfront') {
    const { accessLogs: _, ...adopted } = provider;
    return { ...adopted, queryStrings, multiTenant, locations };
  }
  return { ...provider, queryStrings };
}

/** For how long the own distribution keeps files; of any other nothing is known here. */
export function cachePolicies(
  { cdn }: DeploymentConfig,
  own: OwnDistribution | undefined,
): z.input<typeof cachePolicySchema>[] {
  if (own === undefined || cdn.provider !== undefined) return [];
  return [...cacheClasses, otherFiles].map(({ name, patterns, edge, longest, cacheControl }) => ({
    ...{ name, patterns: [...patterns], cacheControl },
    edgeSeconds: edge.toSeconds(),
    longestSeconds: longest.toSeconds(),
  }));
}
