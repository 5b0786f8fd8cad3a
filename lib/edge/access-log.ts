import * as logs from 'aws-cdk-lib/aws-logs';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import type { CdnConfig } from '../config/cdn.ts';

/**
 * What a line says: CloudFront's own format, and after that who the request is for and from where. Readers go by the names in `#Fields`.
 * Left out are cookies, which may be somebody's session, and the fields of field-level encryption.
 * @see https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logs-reference.html
 */
const recordFields = [
  ...['date', 'time', 'x-edge-location', 'sc-bytes', 'c-ip', 'cs-method', 'cs(Host)', 'cs-uri-stem'],
  ...['sc-status', 'cs(User-Agent)', 'x-edge-result-type', 'x-edge-request-id', 'x-host-header'],
  ...['cs-protocol', 'cs-bytes', 'time-taken', 'x-forwarded-for', 'ssl-protocol', 'ssl-cipher'],
  ...['x-edge-response-result-type', 'cs-protocol-version', 'c-port', 'time-to-first-byte'],
  ...['x-edge-detailed-result-type', 'sc-content-type', 'sc-content-len', 'sc-range-start', 'sc-range-end'],
  ...['timestamp(ms)', 'c-country', 'cache-behavior-path-pattern', 'distribution-tenant-id'],
];

/** Fields with query strings, those of other pages included. Tokens and names of people are found in them. */
const queryFields = ['cs-uri-query', 'cs(Referer)'];

export interface AccessLogsProps {
  /** What the names of the deliveries begin with. */
  name: string;
  /** Distributions of this account, by the last part of their deliveries' names. */
  distributions: ReadonlyMap<string, string>;
  /** Where the files go, in whatever region. */
  bucket: s3.Bucket;
  /** Query strings are logged where they matter to the edge. */
  queryStrings: CdnConfig['queryStrings'];
}

/** One line per request that distributions answer, in the W3C format, below `AWSLogs/` of a bucket (standard logging v2). */
export class AccessLogs extends Construct {
  constructor(scope: Construct, id: string, { name, distributions, bucket, queryStrings }: AccessLogsProps) {
    super(scope, id);
    const destination = new logs.CfnDeliveryDestination(this, 'Destination', {
      name: `${name}-edge`,
      destinationResourceArn: bucket.bucketArn,
      outputFormat: 'w3c',
    });
    let before: logs.CfnDelivery | undefined;
    for (const [part, resourceArn] of distributions) {
      const deliverySourceName = `${name}-${part}`;
      const own = part === 'edge' ? '' : `-${part}`;
      const source = new logs.CfnDeliverySource(this, `Source${own}`, {
        name: deliverySourceName,
        resourceArn,
        logType: 'ACCESS_LOGS',
      });
      const delivery = new logs.CfnDelivery(this, `Delivery${own}`, {
        deliverySourceName,
        deliveryDestinationArn: destination.attrArn,
        recordFields: queryStrings === 'kept' ? [...recordFields, ...queryFields] : recordFields,
        s3EnableHiveCompatiblePath: false,
        s3SuffixPath: '{DistributionId}/{yyyy}/{MM}/{dd}/{HH}',
      });
      delivery.addResourceDependency(source);
      // A destination takes one delivery at a time.
      if (before !== undefined) delivery.addResourceDependency(before);
      before = delivery;
    }
  }
}
