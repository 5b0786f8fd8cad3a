import { Duration } from 'aws-cdk-lib';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { kept } from '../constructs/kept.ts';

/** What every bucket has: never public, no plain HTTP, no ACLs, and it stays when the stack is deleted. */
export const guarded = {
  blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
  objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
  enforceSSL: true,
  removalPolicy: kept,
} satisfies s3.BucketProps;

/** Uploads that nobody finished are paid for until they are aborted. */
export const abortUploads = {
  abortIncompleteMultipartUploadAfter: Duration.days(1),
} satisfies s3.LifecycleRule;

/** Sends the bucket's events to EventBridge. The CDK's own switch brings a function, where CloudFormation needs a line. */
export function sendEvents(bucket: s3.Bucket): void {
  const resource = bucket.node.defaultChild;
  if (!(resource instanceof s3.CfnBucket)) throw new Error(`${bucket.node.path} has no bucket resource`);
  resource.notificationConfiguration = { eventBridgeConfiguration: { eventBridgeEnabled: true } };
}
