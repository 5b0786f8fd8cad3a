import type * as cloudfront from 'aws-cdk-lib/aws-cloudfront';
import * as logs from 'aws-cdk-lib/aws-logs';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';

/**
 * What a line says: everything of CloudFront's own format, and after that who the request is for and from where. Readers
 * go by the names in `#Fields`.
 * @see https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logs-reference.html
 */
const recordFields = [
  ...[
    'date',
    'time',
    'x-edge-location',
    'sc-bytes',
    'c-ip',
    'cs-method',
    'cs(Host)',
    'cs-uri-stem',
    'sc-status',
  ],
  ...[
    'cs(Referer)',
    'cs(User-Agent)',
    'cs-uri-query',
    'cs(Cookie)',
    'x-edge-result-type',
    'x-edge-request-id',
  ],
  ...[
    'x-host-header',
    'cs-protocol',
    'cs-bytes',
    'time-taken',
    'x-forwarded-for',
    'ssl-protocol',
    'ssl-cipher',
  ],
  ...['x-edge-response-result-type', 'cs-protocol-version', 'fle-status', 'fle-encrypted-fields', 'c-port'],
  ...['time-to-first-byte', 'x-edge-detailed-result-type', 'sc-content-type', 'sc-content-len'],
  ...['sc-range-start', 'sc-range-end', 'timestamp(ms)', 'c-country', 'cache-behavior-path-pattern'],
];

export interface AccessLogProps {
  /** Name of the environment, part of the delivery's names. */
  environment: string;
  distribution: cloudfront.IDistribution;
  /** Where the files go, in whatever region. */
  bucket: s3.Bucket;
}

/** One line per request that the distribution answers, in the W3C format, below `AWSLogs/` of a bucket (standard logging v2). */
export class AccessLog extends Construct {
  constructor(scope: Construct, id: string, { environment, distribution, bucket }: AccessLogProps) {
    super(scope, id);
    const name = `mainstay-${environment}-edge`;
    const source = new logs.CfnDeliverySource(this, 'Source', {
      name,
      resourceArn: distribution.distributionArn,
      logType: 'ACCESS_LOGS',
    });
    const destination = new logs.CfnDeliveryDestination(this, 'Destination', {
      name,
      destinationResourceArn: bucket.bucketArn,
      outputFormat: 'w3c',
    });
    const delivery = new logs.CfnDelivery(this, 'Delivery', {
      deliverySourceName: name,
      deliveryDestinationArn: destination.attrArn,
      recordFields,
      s3EnableHiveCompatiblePath: false,
      s3SuffixPath: '{DistributionId}/{yyyy}/{MM}/{dd}/{HH}',
    });
    delivery.addResourceDependency(source);
  }
}
