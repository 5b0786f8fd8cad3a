import { Annotations, Duration } from 'aws-cdk-lib';
import type * as acm from 'aws-cdk-lib/aws-certificatemanager';
import * as cloudfront from 'aws-cdk-lib/aws-cloudfront';
import { HttpOrigin, S3BucketOrigin } from 'aws-cdk-lib/aws-cloudfront-origins';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import type { EdgeConfig } from '../config/edge.ts';
import { acknowledge } from '../constructs/acknowledge.ts';
import { cacheClasses, otherFiles } from './cache-classes.ts';
import { FileBehavior } from './file-behavior.ts';

export interface DistributionProps {
  /** Name of the environment. */
  environment: string;
  config: EdgeConfig;
  /** For the domains; without any, the distribution answers under CloudFront's own name. */
  certificate?: acm.ICertificate;
  /** The bucket with the files, which may be in another region. */
  assets: s3.Bucket;
  /** Host name of the API. */
  apiHost: string;
  /** Path patterns that lead to the API. */
  apiPatterns: readonly string[];
  /** ARN of the web ACL, where there is one. */
  firewallArn?: string;
  /** Path patterns of files that only signed URLs open, and whose signatures do. */
  signing?: { paths: readonly string[]; keyGroups: cloudfront.IKeyGroup[] };
}

/** The distribution in front of the files and of the API: HTTP/2 and HTTP/3, and TLS 1.2 and newer for its domains. */
export class Distribution extends Construct {
  readonly distribution: cloudfront.Distribution;

  constructor(scope: Construct, id: string, props: DistributionProps) {
    super(scope, id);
    const { environment, config, certificate } = props;
    const named = certificate !== undefined &&
      config.websites.length === 0 && {
        domainNames: config.domains,
        certificate,
        minimumProtocolVersion: cloudfront.SecurityPolicyProtocol.TLS_V1_2_2021,
      };
    const files = this.filesOrigin(props.assets);
    const behavior = (kind: (typeof cacheClasses)[number]) =>
      new FileBehavior(this, `Files-${kind.name}`, { environment, kind, origin: files }).options;
    const api = apiBehavior(props.apiHost);
    const others = behavior(otherFiles);
    const { signing } = props;

    this.distribution = new cloudfront.Distribution(this, 'Distribution', {
      comment: `Mainstay ${environment}`,
      ...named,
      httpVersion: cloudfront.HttpVersion.HTTP2_AND_3,
      priceClass: priceClasses[config.priceClass],
      defaultRootObject: 'index.html',
      ...(props.firewallArn !== undefined && { webAclId: props.firewallArn }),
      defaultBehavior: others,
      additionalBehaviors: Object.fromEntries([
        // First: nothing of the API is ever taken for a file.
        ...props.apiPatterns.map((pattern) => [pattern, api]),
        ...(signing?.paths ?? []).map((pattern) => [
          pattern,
          { ...others, trustedKeyGroups: signing?.keyGroups },
        ]),
        ...cacheClasses.flatMap((kind) => {
          const options = behavior(kind);
          return kind.patterns.map((pattern) => [pattern, options]);
        }),
      ]),
    });
    const resource = this.distribution.node.defaultChild;
    if (!(resource instanceof cloudfront.CfnDistribution)) throw new Error('no distribution resource');
    // Purges by tag need to be told where the tags are; the CDK's own construct has no property for it yet.
    resource.addPropertyOverride('DistributionConfig.CacheTagConfig', { HeaderName: config.cacheTagHeader });
    if (config.websites.length > 0) forTenants(resource, certificate);
    // The bucket's stack lets the distributions of the account in; see Buckets.
    Annotations.of(this.distribution).acknowledgeWarning(
      '@aws-cdk/aws-cloudfront-origins:updateImportedBucketPolicyOac',
    );
    acknowledge(this.distribution, {
      'AwsSolutions-CFR1':
        'The users of the platform may be anywhere. Which countries to refuse is the operator’s decision and no default; the firewall blocks by reputation and by rate.',
      'AwsSolutions-CFR3':
        'Every request is logged by standard logging v2, whose delivery is made of resources of its own beside the distribution. The rule knows the older form alone.',
      ...(named === false && {
        'AwsSolutions-CFR4':
          'It has no certificate of its own. Without a domain, CloudFront’s name is used, where the oldest TLS version cannot be chosen, and production does not take that; websites have certificates of theirs.',
      }),
      ...(props.firewallArn === undefined && {
        'AwsSolutions-CFR2':
          'Switched off by the setting edge.firewall; the production profile switches it on. The API counts requests per key and per address itself.',
      }),
    });
  }

  private filesOrigin(assets: s3.Bucket): cloudfront.IOrigin {
    const bucket = s3.Bucket.fromBucketAttributes(this, 'Assets', {
      bucketName: assets.bucketName,
      bucketRegionalDomainName: assets.bucketRegionalDomainName,
    });
    return S3BucketOrigin.withOriginAccessControl(bucket);
  }
}

/** Makes a distribution one that serves tenants alone; it has no domains then, nor what goes with them. */
function forTenants(resource: cloudfront.CfnDistribution, certificate: acm.ICertificate | undefined): void {
  resource.addPropertyOverride('DistributionConfig.ConnectionMode', 'tenant-only');
  for (const name of ['IPV6Enabled', 'PriceClass'])
    resource.addPropertyDeletionOverride(`DistributionConfig.${name}`);
  if (certificate === undefined) return;
  resource.addPropertyOverride('DistributionConfig.ViewerCertificate', {
    AcmCertificateArn: certificate.certificateArn,
    MinimumProtocolVersion: cloudfront.SecurityPolicyProtocol.TLS_V1_2_2021,
    SslSupportMethod: cloudfront.SSLMethod.SNI,
  });
}

function apiBehavior(host: string): cloudfront.BehaviorOptions {
  return {
    origin: new HttpOrigin(host, {
      protocolPolicy: cloudfront.OriginProtocolPolicy.HTTPS_ONLY,
      originSslProtocols: [cloudfront.OriginSslPolicy.TLS_V1_2],
      readTimeout: Duration.seconds(30),
    }),
    // An API key that was sent in the clear is no secret any more; a redirect would hide that from its owner.
    viewerProtocolPolicy: cloudfront.ViewerProtocolPolicy.HTTPS_ONLY,
    allowedMethods: cloudfront.AllowedMethods.ALLOW_ALL,
    cachePolicy: cloudfront.CachePolicy.CACHING_DISABLED,
    originRequestPolicy: cloudfront.OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER,
  };
}

const priceClasses: Record<EdgeConfig['priceClass'], cloudfront.PriceClass> = {
  '100': cloudfront.PriceClass.PRICE_CLASS_100,
  '200': cloudfront.PriceClass.PRICE_CLASS_200,
  all: cloudfront.PriceClass.PRICE_CLASS_ALL,
};
