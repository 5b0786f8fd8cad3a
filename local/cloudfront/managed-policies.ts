import type { CachePolicyConfig } from './definition.ts';

const parameters = (encodings: boolean): CachePolicyConfig['ParametersInCacheKeyAndForwardedToOrigin'] => ({
  CookiesConfig: { CookieBehavior: 'none', Cookies: [] },
  EnableAcceptEncodingBrotli: encodings,
  EnableAcceptEncodingGzip: encodings,
  HeadersConfig: { HeaderBehavior: 'none', Headers: [] },
  QueryStringsConfig: { QueryStringBehavior: 'none', QueryStrings: [] },
});

/**
 * The cache policies that AWS manages, by id, as far as templates use them.
 * @see https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-cache-policies.html
 */
export const managedCachePolicies: Readonly<Record<string, CachePolicyConfig>> = {
  '4135ea2d-6df8-44a3-9df3-4b5a84be39ad': {
    Name: 'Managed-CachingDisabled',
    Comment: '',
    MinTTL: 0,
    DefaultTTL: 0,
    MaxTTL: 0,
    ParametersInCacheKeyAndForwardedToOrigin: parameters(false),
  },
  '658327ea-f89d-4fab-a63d-7e88639e58f6': {
    Name: 'Managed-CachingOptimized',
    Comment: '',
    MinTTL: 1,
    DefaultTTL: 86_400,
    MaxTTL: 31_536_000,
    ParametersInCacheKeyAndForwardedToOrigin: parameters(true),
  },
};

/** The origin request policy that AWS manages and templates use: everything of the viewer but the host. */
export const allViewerExceptHostHeader = 'b689b0a8-53d0-40ab-baf2-68738e2966ac';
