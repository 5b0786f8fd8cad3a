import { Duration } from 'aws-cdk-lib';
import * as cloudfront from 'aws-cdk-lib/aws-cloudfront';
import { Construct } from 'constructs';
import type { CacheClass } from './cache-classes.ts';

export interface FileBehaviorProps {
  /** Name of the environment, part of the policies' names. */
  environment: string;
  kind: CacheClass;
  origin: cloudfront.IOrigin;
}

/** How files of one class are served: over HTTPS, compressed, without cookies or query strings for the origin. */
export class FileBehavior extends Construct {
  readonly options: cloudfront.BehaviorOptions;

  constructor(scope: Construct, id: string, { environment, kind, origin }: FileBehaviorProps) {
    super(scope, id);
    const name = `mainstay-${environment}-${kind.name}`;
    this.options = {
      origin,
      viewerProtocolPolicy: cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
      compress: true,
      cachePolicy: new cloudfront.CachePolicy(this, 'Cache', {
        cachePolicyName: name,
        comment: `Files of the class ${kind.name}`,
        minTtl: Duration.seconds(0),
        defaultTtl: kind.edge,
        maxTtl: kind.longest,
        cookieBehavior: cloudfront.CacheCookieBehavior.none(),
        headerBehavior: cloudfront.CacheHeaderBehavior.none(),
        queryStringBehavior: cloudfront.CacheQueryStringBehavior.none(),
        enableAcceptEncodingBrotli: true,
        enableAcceptEncodingGzip: true,
      }),
      responseHeadersPolicy: new cloudfront.ResponseHeadersPolicy(this, 'Headers', {
        responseHeadersPolicyName: name,
        comment: `Headers of the class ${kind.name}`,
        securityHeadersBehavior: securityHeaders,
        customHeadersBehavior: {
          customHeaders: [{ header: 'cache-control', value: kind.cacheControl, override: false }],
        },
      }),
    };
  }
}

const securityHeaders: cloudfront.ResponseSecurityHeadersBehavior = {
  strictTransportSecurity: {
    accessControlMaxAge: Duration.days(365),
    includeSubdomains: true,
    override: true,
  },
  contentTypeOptions: { override: true },
  frameOptions: { frameOption: cloudfront.HeadersFrameOption.SAMEORIGIN, override: false },
  referrerPolicy: {
    referrerPolicy: cloudfront.HeadersReferrerPolicy.STRICT_ORIGIN_WHEN_CROSS_ORIGIN,
    override: false,
  },
};
