import { Duration, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import type { DeploymentConfig } from '../config/schema.ts';
import { acknowledge, acknowledgeResource } from '../constructs/acknowledge.ts';
import type { BundledFunction } from '../constructs/function.ts';
import { edgeRegion } from '../edge/edge-region.ts';
import { abortUploads, guarded, sendEvents } from './bucket-defaults.ts';

/** Where logs are put: by CloudFront, by Cloudflare’s Logpush, by Fastly. */
export const edgeLogPrefixes = ['AWSLogs/', 'cloudflare/', 'fastly/'] as const;
/** Logs that were counted and not folded yet, where they are too large for an item. They are folded within minutes. */
const pending = { prefix: 'pending/', days: 14 };
const totals = 'totals/';

/**
 * The logs of the edge, and what is too large for an item of what they say. It is in the deployment's own region, unlike a
 * distribution: what counts the lines is here, and CloudFront delivers to buckets of any region.
 */
export class EdgeLogs extends Construct {
  readonly bucket: s3.Bucket;

  constructor(
    scope: Construct,
    id: string,
    { logs, cdn, edge }: Pick<DeploymentConfig, 'logs' | 'cdn' | 'edge'>,
  ) {
    super(scope, id);
    this.bucket = new s3.Bucket(this, 'Bucket', {
      ...guarded,
      encryption: s3.BucketEncryption.S3_MANAGED,
      lifecycleRules: [
        abortUploads,
        ...edgeLogPrefixes.map((prefix) => ({ prefix, expiration: Duration.days(logs.archiveDays) })),
        { prefix: pending.prefix, expiration: Duration.days(pending.days) },
        { prefix: totals, expiration: Duration.days(cdn.analytics.dailyDays + 2) },
      ],
    });
    sendEvents(this.bucket);
    acknowledge(this.bucket, {
      'AwsSolutions-S1':
        'It holds the logs of the edge and what was counted of them, and only the log delivery of this account and the functions that count write to it. A log of who reads the log would have to go to a bucket that raises the same finding.',
    });
    if (edge !== undefined || cdn.provider?.kind === 'cloudfront') this.letDeliveryWrite();
  }

  /** Lets a function read logs, and put aside what it has counted. */
  grantIngest(fn: BundledFunction): void {
    this.allowObjects(fn, ['s3:GetObject'], edgeLogPrefixes);
    this.allowObjects(fn, ['s3:PutObject'], [pending.prefix]);
    this.name(fn);
  }

  /** Lets a function make totals of what was counted. */
  grantFold(fn: BundledFunction): void {
    this.allowObjects(fn, ['s3:GetObject', 's3:DeleteObject'], [pending.prefix, totals]);
    this.allowObjects(fn, ['s3:PutObject'], [totals]);
    this.tellMissing(fn);
    this.name(fn);
  }

  /** Lets a function read what was counted. */
  grantReadTraffic(fn: BundledFunction): void {
    this.allowObjects(fn, ['s3:GetObject'], [pending.prefix, totals]);
    this.tellMissing(fn);
    this.name(fn);
  }

  /** Without it, S3 answers that access is denied where there is no such object. */
  private tellMissing(fn: BundledFunction): void {
    fn.allow(['s3:ListBucket'], [this.bucket.bucketArn]);
  }

  private name(fn: BundledFunction): void {
    fn.addEnvironment('EDGE_LOGS_BUCKET', this.bucket.bucketName);
  }

  private allowObjects(fn: BundledFunction, actions: readonly string[], prefixes: readonly string[]): void {
    const resources = prefixes.map((prefix) => this.bucket.arnForObjects(`${prefix}*`));
    fn.allow(actions, resources);
    for (const resource of resources) {
      acknowledgeResource(
        fn.policies,
        resource,
        'Logs and totals are objects whose names nobody knows beforehand; the pattern ends with a prefix of this bucket.',
      );
    }
  }

  private letDeliveryWrite(): void {
    const { partition, account } = Stack.of(this);
    this.bucket.addToResourcePolicy(
      new iam.PolicyStatement({
        sid: 'LogDeliveryWrites',
        principals: [new iam.ServicePrincipal('delivery.logs.amazonaws.com')],
        actions: ['s3:PutObject'],
        resources: [this.bucket.arnForObjects(`AWSLogs/${account}/*`)],
        conditions: {
          StringEquals: { 'aws:SourceAccount': account, 's3:x-amz-acl': 'bucket-owner-full-control' },
          ArnLike: { 'aws:SourceArn': `arn:${partition}:logs:${edgeRegion}:${account}:delivery-source:*` },
        },
      }),
    );
  }
}
