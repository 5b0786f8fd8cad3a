import type * as cloudfront from 'aws-cdk-lib/aws-cloudfront';
import * as logs from 'aws-cdk-lib/aws-logs';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';

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
      s3EnableHiveCompatiblePath: false,
      s3SuffixPath: '{DistributionId}/{yyyy}/{MM}/{dd}/{HH}',
    });
    delivery.addResourceDependency(source);
  }
}
