import * as z from 'zod';

/*
 * What a template says of a distribution, as far as the local edge does it. Everything is strict: a property that is
 * not here is refused by its name.
 */

const method = z.enum(['GET', 'HEAD', 'OPTIONS', 'PUT', 'PATCH', 'POST', 'DELETE']);

const behaviorProperties = {
  AllowedMethods: z.array(method).default(['GET', 'HEAD']),
  CachedMethods: z.array(z.enum(['GET', 'HEAD'])).optional(),
  CachePolicyId: z.string(),
  Compress: z.boolean().default(false),
  OriginRequestPolicyId: z.string().optional(),
  ResponseHeadersPolicyId: z.string().optional(),
  TargetOriginId: z.string(),
  TrustedKeyGroups: z.array(z.string()).default([]),
  ViewerProtocolPolicy: z.enum(['allow-all', 'https-only', 'redirect-to-https']),
};

const behavior = z.strictObject({ ...behaviorProperties, PathPattern: z.string() });

const originProperties = { Id: z.string(), DomainName: z.string(), OriginPath: z.string().default('') };

const s3Origin = z.strictObject({
  ...originProperties,
  OriginAccessControlId: z.string(),
  S3OriginConfig: z.strictObject({ OriginAccessIdentity: z.literal('').optional() }),
});

const customOrigin = z.strictObject({
  ...originProperties,
  CustomOriginConfig: z.strictObject({
    HTTPPort: z.number().default(80),
    HTTPSPort: z.number().default(443),
    OriginProtocolPolicy: z.enum(['http-only', 'https-only']),
    OriginReadTimeout: z.number().default(30),
    OriginSSLProtocols: z.array(z.string()).optional(),
  }),
});

/** Properties of `AWS::CloudFront::Distribution`. */
export const distributionProperties = z.strictObject({
  Tags: z.unknown().optional(),
  DistributionConfig: z.strictObject({
    Aliases: z.array(z.string()).default([]),
    CacheBehaviors: z.array(behavior).default([]),
    CacheTagConfig: z.strictObject({ HeaderName: z.string() }).optional(),
    Comment: z.string().default(''),
    ConnectionMode: z.enum(['direct', 'tenant-only']).default('direct'),
    DefaultCacheBehavior: z.strictObject(behaviorProperties),
    DefaultRootObject: z.string().default(''),
    Enabled: z.boolean(),
    // What connections are like on AWS: here they are HTTP/1.1 on the loopback interface.
    HttpVersion: z.string().optional(),
    IPV6Enabled: z.boolean().optional(),
    Origins: z.array(z.union([s3Origin, customOrigin])).min(1),
    PriceClass: z.string().default('PriceClass_All'),
    TenantConfig: z.strictObject({}).optional(),
    ViewerCertificate: z.strictObject({ CloudFrontDefaultCertificate: z.literal(true) }).optional(),
  }),
});

const nameList = z.array(z.string()).default([]);

/** Properties of `AWS::CloudFront::CachePolicy`. */
export const cachePolicyProperties = z.strictObject({
  CachePolicyConfig: z.strictObject({
    Comment: z.string().default(''),
    DefaultTTL: z.number(),
    MaxTTL: z.number(),
    MinTTL: z.number(),
    Name: z.string(),
    ParametersInCacheKeyAndForwardedToOrigin: z.strictObject({
      CookiesConfig: z.strictObject({
        CookieBehavior: z.enum(['none', 'whitelist', 'allExcept', 'all']),
        Cookies: nameList,
      }),
      EnableAcceptEncodingBrotli: z.boolean().default(false),
      EnableAcceptEncodingGzip: z.boolean(),
      HeadersConfig: z.strictObject({ HeaderBehavior: z.enum(['none', 'whitelist']), Headers: nameList }),
      QueryStringsConfig: z.strictObject({
        QueryStringBehavior: z.enum(['none', 'whitelist', 'allExcept', 'all']),
        QueryStrings: nameList,
      }),
    }),
  }),
});

const header = { Override: z.boolean() };

/** Properties of `AWS::CloudFront::ResponseHeadersPolicy`. */
export const responseHeadersProperties = z.strictObject({
  ResponseHeadersPolicyConfig: z.strictObject({
    Comment: z.string().default(''),
    Name: z.string(),
    CustomHeadersConfig: z
      .strictObject({
        Items: z.array(z.strictObject({ ...header, Header: z.string(), Value: z.string() })),
      })
      .optional(),
    RemoveHeadersConfig: z
      .strictObject({ Items: z.array(z.strictObject({ Header: z.string() })) })
      .optional(),
    SecurityHeadersConfig: z
      .strictObject({
        ContentSecurityPolicy: z.strictObject({ ...header, ContentSecurityPolicy: z.string() }).optional(),
        ContentTypeOptions: z.strictObject(header).optional(),
        FrameOptions: z.strictObject({ ...header, FrameOption: z.string() }).optional(),
        ReferrerPolicy: z.strictObject({ ...header, ReferrerPolicy: z.string() }).optional(),
        StrictTransportSecurity: z
          .strictObject({
            ...header,
            AccessControlMaxAgeSec: z.number(),
            IncludeSubdomains: z.boolean().default(false),
            Preload: z.boolean().default(false),
          })
          .optional(),
      })
      .optional(),
  }),
});

export type DistributionConfig = z.output<typeof distributionProperties>['DistributionConfig'];
export type Behavior = z.output<typeof behavior> | DistributionConfig['DefaultCacheBehavior'];
export type Origin = DistributionConfig['Origins'][number];
export type CachePolicyConfig = z.output<typeof cachePolicyProperties>['CachePolicyConfig'];
export type ResponseHeadersConfig = z.output<typeof responseHeadersProperties>['ResponseHeadersPolicyConfig'];

/** A distribution of the template. */
export interface Distribution {
  id: string;
  arn: string;
  config: DistributionConfig;
  /** Milliseconds since the epoch. */
  createdAt: number;
}

/** A website of a multi-tenant distribution: its domains lead to that distribution, its cache is its own. */
export interface DistributionTenant {
  id: string;
  arn: string;
  name: string;
  distributionId: string;
  connectionGroupId: string | undefined;
  domains: readonly string[];
  enabled: boolean;
  createdAt: number;
}
