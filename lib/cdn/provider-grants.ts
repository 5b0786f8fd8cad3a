import { Stack } from 'aws-cdk-lib';
import type { DeploymentConfig } from '../config/schema.ts';
import { acknowledgeResource } from '../constructs/acknowledge.ts';
import type { BundledFunction } from '../constructs/function.ts';
import { type OwnDistribution, providerSettings } from './provider.ts';

/** What a function does at the provider: know which one it is, find websites, see how it stands, purge. */
export type ProviderUse = 'know' | 'find' | 'look' | 'purge';

const distributionActions: Record<ProviderUse, readonly string[]> = {
  know: [],
  find: [],
  look: ['cloudfront:GetDistribution', 'cloudfront:ListInvalidations'],
  purge: ['cloudfront:CreateInvalidation', 'cloudfront:GetInvalidation'],
};
const finding = ['cloudfront:GetDistributionTenant', 'cloudfront:GetDistributionTenantByDomain'];
const tenantActions: Record<ProviderUse, readonly string[]> = {
  know: [],
  find: finding,
  look: finding,
  purge: [
    'cloudfront:CreateInvalidationForDistributionTenant',
    'cloudfront:GetInvalidationForDistributionTenant',
  ],
};

/** Tells a function which provider there is, and lets it do this there. */
export function grantProvider(
  fn: BundledFunction,
  config: DeploymentConfig,
  own: OwnDistribution | undefined,
  use: ProviderUse,
): void {
  const settings = providerSettings(config, own);
  const stack = Stack.of(fn);
  fn.addEnvironment('CDN_PROVIDER', stack.toJsonString(settings));
  switch (settings.kind) {
    case 'none':
      return;
    case 'cloudflare':
    case 'fastly':
      if (use === 'look' || use === 'purge') {
        fn.allow(['secretsmanager:GetSecretValue'], [settings.tokenSecretArn]);
      }
      return;
    case 'cloudfront': {
      const distribution = (id: string) =>
        stack.formatArn({ service: 'cloudfront', region: '', resource: 'distribution', resourceName: id });
      const ids = [settings.distributionId, ...(settings.websites ?? []).map(({ id }) => id)];
      if (distributionActions[use].length > 0) fn.allow(distributionActions[use], ids.map(distribution));
      if (settings.multiTenant !== true || tenantActions[use].length === 0) return;
      const tenants = stack.formatArn({
        ...{ service: 'cloudfront', region: '', resource: 'distribution-tenant', resourceName: '*' },
      });
      fn.allow(tenantActions[use], [tenants]);
      acknowledgeResource(
        fn.policies,
        tenants,
        'Websites come and go as tenants of the distribution, with ids that CloudFront makes. Those of another distribution are refused by the function.',
      );
    }
  }
}
