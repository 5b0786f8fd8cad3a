import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import type * as cloudfront from 'aws-cdk-lib/aws-cloudfront';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { acknowledge } from '../constructs/acknowledge.ts';
import { abortUploads, guarded } from '../stateful/bucket-defaults.ts';

export interface AccessLogProps {
  /** Name of the environment, part of the delivery's names. */
  environment: string;
  distribution: cloudfront.Distribution;
  /** How long log files are kept, in days. */
  archiveDays: number;
}

/** One line per request that the distribution answers, in the W3C format, below `AWSLogs/` of a bucket (standard logging v2). */
export class AccessLog extends Construct {
  readonly bucket: s3.Bucket;

  constructor(scope: Construct, id: string, props: AccessLogProps) {
    super(scope, id);
    const { environment, distribution, archiveDays } = props;
    this.bucket = new s3.Bucket(this, 'Bucket', {
      ...guarded,
      // A rollback cannot delete a bucket that holds something.
      removalPolicy: RemovalPolicy.RETAIN,
      encryption: s3.BucketEncryption.S3_MANAGED,
      lifecycleRules: [{ ...abortUploads, expiration: Duration.days(archiveDays) }],
    });
    acknowledge(this.bucket, {
      'AwsSolutions-S1':
        'It holds the access log of the distribution and nothing else, and only the log delivery of this account writes to it. A log of who reads the log would have to go to a bucket that raises the same finding.',
    });
    this.letDeliveryWrite();

    const name = `mainstay-${environment}-edge`;
    const source = new logs.CfnDeliverySource(this, 'Source', {
      name,
      resourceArn: distribution.distributionArn,
      logType: 'ACCESS_LOGS',
    });
    const destination = new logs.CfnDeliveryDestination(this, 'Destination', {
      name,
      destinationResourceArn: this.bucket.bucketArn,
      outputFormat: 'w3c',
    });
    destination.node.addDependency(this.bucket);
    const delivery = new logs.CfnDelivery(this, 'Delivery', {
      deliverySourceName: name,
      deliveryDestinationArn: destination.attrArn,
      s3EnableHiveCompatiblePath: false,
      s3SuffixPath: '{DistributionId}/{yyyy}/{MM}/{dd}/{HH}',
    });
    delivery.addResourceDependency(source);
  }

  private letDeliveryWrite(): void {
    const { partition, account, region } = Stack.of(this);
    this.bucket.addToResourcePolicy(
      new iam.PolicyStatement({
        sid: 'LogDeliveryWrites',
        principals: [new iam.ServicePrincipal('delivery.logs.amazonaws.com')],
        actions: ['s3:PutObject'],
        resources: [this.bucket.arnForObjects(`AWSLogs/${account}/*`)],
        conditions: {
          StringEquals: { 'aws:SourceAccount': account, 's3:x-amz-acl': 'bucket-owner-full-control' },
          ArnLike: { 'aws:SourceArn': `arn:${partition}:logs:${region}:${account}:delivery-source:*` },
        },
      }),
    );
  }
}
