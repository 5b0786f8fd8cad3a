import type { Behavior, Distribution, DistributionTenant } from './definition.ts';
import type { Invalidation } from './invalidations.ts';

/** A list as CloudFront writes them: with its length, and without items when there are none. */
export function quantified<T>(items: readonly T[]): { Quantity: number; Items?: readonly T[] } {
  return items.length === 0 ? { Quantity: 0 } : { Quantity: items.length, Items: items };
}

/** `Invalidation` of the API. */
export function invalidationShape(invalidation: Invalidation) {
  return {
    Id: invalidation.id,
    Status: invalidation.status,
    CreateTime: new Date(invalidation.createdAt),
    InvalidationBatch: {
      CallerReference: invalidation.callerReference,
      Paths: quantified(invalidation.paths),
    },
  };
}

/** `DistributionConfig` of the API. */
export function configShape({ id, config }: Distribution) {
  return {
    CallerReference: id,
    Aliases: quantified(config.Aliases),
    DefaultRootObject: config.DefaultRootObject,
    Origins: quantified(
      config.Origins.map((origin) => ({
        Id: origin.Id,
        DomainName: origin.DomainName,
        OriginPath: origin.OriginPath,
        ...('S3OriginConfig' in origin && {
          OriginAccessControlId: origin.OriginAccessControlId,
          S3OriginConfig: { OriginAccessIdentity: '' },
        }),
        ...('CustomOriginConfig' in origin && {
          CustomOriginConfig: {
            ...origin.CustomOriginConfig,
            OriginSslProtocols: quantified(origin.CustomOriginConfig.OriginSSLProtocols ?? []),
          },
        }),
      })),
    ),
    DefaultCacheBehavior: behaviorShape(config.DefaultCacheBehavior),
    CacheBehaviors: quantified(
      config.CacheBehaviors.map((behavior) => ({
        ...behaviorShape(behavior),
        PathPattern: behavior.PathPattern,
      })),
    ),
    CustomErrorResponses: quantified([]),
    Comment: config.Comment,
    PriceClass: config.PriceClass,
    Enabled: config.Enabled,
    ViewerCertificate: { CloudFrontDefaultCertificate: true },
    Restrictions: { GeoRestriction: { RestrictionType: 'none', Quantity: 0 } },
    WebACLId: '',
    HttpVersion: config.HttpVersion ?? 'http1.1',
    IsIPV6Enabled: config.IPV6Enabled ?? false,
    ConnectionMode: config.ConnectionMode,
    ...(config.CacheTagConfig && { CacheTagConfig: config.CacheTagConfig }),
  };
}

function behaviorShape(behavior: Behavior) {
  return {
    TargetOriginId: behavior.TargetOriginId,
    ViewerProtocolPolicy: behavior.ViewerProtocolPolicy,
    AllowedMethods: {
      ...quantified(behavior.AllowedMethods),
      CachedMethods: quantified(behavior.CachedMethods ?? ['GET', 'HEAD']),
    },
    Compress: behavior.Compress,
    CachePolicyId: behavior.CachePolicyId,
    OriginRequestPolicyId: behavior.OriginRequestPolicyId,
    ResponseHeadersPolicyId: behavior.ResponseHeadersPolicyId,
    TrustedKeyGroups: {
      Enabled: behavior.TrustedKeyGroups.length > 0,
      ...quantified(behavior.TrustedKeyGroups),
    },
  };
}

/** `Distribution` of the API. */
export function distributionShape(distribution: Distribution, domainName: string, invalidating: number) {
  return {
    Id: distribution.id,
    ARN: distribution.arn,
    Status: 'Deployed',
    LastModifiedTime: new Date(distribution.createdAt),
    InProgressInvalidationBatches: invalidating,
    DomainName: domainName,
    DistributionConfig: configShape(distribution),
  };
}

/** `DistributionTenant` of the API. */
export function tenantShape(tenant: DistributionTenant) {
  return {
    Id: tenant.id,
    DistributionId: tenant.distributionId,
    Name: tenant.name,
    Arn: tenant.arn,
    Domains: tenant.domains.map((Domain) => ({ Domain, Status: 'active' })),
    ConnectionGroupId: tenant.connectionGroupId,
    CreatedTime: new Date(tenant.createdAt),
    LastModifiedTime: new Date(tenant.createdAt),
    Enabled: tenant.enabled,
    Status: 'Deployed',
  };
}
