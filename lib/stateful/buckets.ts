import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import type { DeploymentConfig } from '../config/schema.ts';
import { bucketInterface } from '../constructs/interfaces.ts';
import { BackupBucket } from './backup-bucket.ts';
import { abortUploads, guarded, sendEvents } from './bucket-defaults.ts';
import { EdgeLogs } from './edge-logs.ts';
import type { Keys } from './keys.ts';

export interface BucketsProps {
  config: DeploymentConfig;
  keys: Keys;
}

/** The buckets of a deployment. */
export class Buckets extends Construct {
  readonly backups: BackupBucket;
  /** Files that the CDN serves. */
  readonly assets: s3.Bucket;
  /** Access logs of the other two, and the VPC's flow logs. */
  readonly logs: s3.Bucket;
  /** What edges write of their requests. */
  readonly edgeLogs: EdgeLogs;

  constructor(scope: Construct, id: string, { config, keys }: BucketsProps) {
    super(scope, id);
    this.logs = new s3.Bucket(this, 'Logs', {
      ...guarded,
      // Flow logs arrive within minutes, and a rollback cannot delete a bucket that holds something.
      removalPolicy: RemovalPolicy.RETAIN,
      // S3 delivers access logs only to a bucket that is encrypted with S3's own keys.
      encryption: s3.BucketEncryption.S3_MANAGED,
      lifecycleRules: [{ ...abortUploads, expiration: Duration.days(config.logs.archiveDays) }],
    });
    this.backups = new BackupBucket(this, 'Backups', { config: config.backup, keys, logs: this.logs });
    this.assets = new s3.Bucket(this, 'Assets', {
      ...guarded,
      versioned: true,
      encryption: s3.BucketEncryption.S3_MANAGED,
      serverAccessLogsBucket: bucketInterface(this.logs),
      serverAccessLogsPrefix: 's3/assets/',
      lifecycleRules: [{ ...abortUploads, noncurrentVersionExpiration: Duration.days(30) }],
    });
    sendEvents(this.assets);
    if (config.edge !== undefined) this.letDistributionsRead();
    this.edgeLogs = new EdgeLogs(this, 'EdgeLogs', config);
  }

  /**
   * Any distribution of this account: tenants may have distributions of their own, and naming one here would make
   * this stack and the one that holds it wait for each other.
   */
  private letDistributionsRead(): void {
    const { partition, account } = Stack.of(this);
    this.assets.addToResourcePolicy(
      new iam.PolicyStatement({
        sid: 'DistributionsRead',
        principals: [new iam.ServicePrincipal('cloudfront.amazonaws.com')],
        actions: ['s3:GetObject'],
        resources: [this.assets.arnForObjects('*')],
        conditions: {
          StringEquals: { 'aws:SourceAccount': account },
          ArnLike: { 'aws:SourceArn': `arn:${partition}:cloudfront::${account}:distribution/*` },
        },
      }),
    );
  }
}
