import { Duration } from 'aws-cdk-lib';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import type { DeploymentConfig } from '../config/schema.ts';
import { acknowledgeResource } from '../constructs/acknowledge.ts';
import type { BundledFunction } from '../constructs/function.ts';
import { bucketInterface } from '../constructs/interfaces.ts';
import type { Workflow } from '../constructs/workflow.ts';
import { abortUploads, guarded, sendEvents } from './bucket-defaults.ts';
import type { Keys } from './keys.ts';

export interface BackupBucketProps {
  config: DeploymentConfig['backup'];
  keys: Keys;
  /** Where S3 writes the access log. */
  logs: s3.Bucket;
}

/** Longer than any verification runs (`backup.timeoutHours` is at most a week). */
const verificationDays = 14;

/** Where backups are stored: versioned, ready for Object Lock, encrypted with the key of backups. */
export class BackupBucket extends Construct {
  readonly bucket: s3.Bucket;
  private readonly keyArn: string;

  constructor(scope: Construct, id: string, { config, keys, logs }: BackupBucketProps) {
    super(scope, id);
    this.keyArn = keys.encryption.keyArn;
    this.bucket = new s3.Bucket(this, 'Bucket', {
      ...guarded,
      versioned: true,
      // Always: a bucket without Object Lock gets it later only through a support case.
      objectLockEnabled: true,
      ...lockOf(config.objectLock),
      encryption: s3.BucketEncryption.KMS,
      encryptionKey: keys.encryption,
      bucketKeyEnabled: true,
      serverAccessLogsBucket: bucketInterface(logs),
      serverAccessLogsPrefix: 's3/backups/',
      lifecycleRules: [
        {
          ...abortUploads,
          noncurrentVersionExpiration: Duration.days(config.noncurrentVersionDays),
          expiredObjectDeleteMarker: true,
        },
        // Work lists, of no use once their verification or restore has ended.
        { prefix: 'verifications/', expiration: Duration.days(verificationDays) },
        { prefix: 'restores/', expiration: Duration.days(verificationDays) },
      ],
    });
    sendEvents(this.bucket);
  }

  /** Lets a function read objects and their versions, and see which are missing; tells it the bucket. */
  grantRead(fn: BundledFunction): void {
    fn.allow(['s3:GetObject', 's3:GetObjectVersion'], [this.objects]);
    fn.allow(['s3:ListBucket'], [this.bucket.bucketArn]);
    fn.allow(['kms:Decrypt'], [this.keyArn]);
    this.introduce(fn);
  }

  /** Lets a function store objects; tells it the bucket. */
  grantWrite(fn: BundledFunction): void {
    fn.allow(['s3:PutObject', 's3:AbortMultipartUpload'], [this.objects]);
    // S3 opens the data key of a multipart upload again for each part.
    fn.allow(['kms:GenerateDataKey', 'kms:Decrypt'], [this.keyArn]);
    this.introduce(fn);
  }

  /** Lets a function find and remove objects, their versions and unfinished uploads; tells it the bucket. */
  grantRemove(fn: BundledFunction): void {
    fn.allow(['s3:ListBucketVersions', 's3:ListBucketMultipartUploads'], [this.bucket.bucketArn]);
    fn.allow(['s3:DeleteObject', 's3:DeleteObjectVersion', 's3:AbortMultipartUpload'], [this.objects]);
    this.introduce(fn);
  }

  /** Lets a function ask whether the bucket is there; tells it the bucket. */
  grantProbe(fn: BundledFunction): void {
    fn.allow(['s3:ListBucket'], [this.bucket.bucketArn]);
    fn.addEnvironment('BACKUPS_BUCKET', this.bucket.bucketName);
  }

  /** Lets a workflow read the work lists of its distributed Maps. */
  grantReadItems(workflow: Workflow): void {
    workflow.allow(['s3:GetObject'], [this.objects]);
    workflow.allow(['kms:Decrypt'], [this.keyArn]);
    acknowledgeResource(workflow.policies, this.objects, objectsReason);
  }

  private get objects(): string {
    return this.bucket.arnForObjects('*');
  }

  private introduce(fn: BundledFunction): void {
    acknowledgeResource(fn.policies, this.objects, objectsReason);
    fn.addEnvironment('BACKUPS_BUCKET', this.bucket.bucketName);
  }
}

const objectsReason =
  'The objects of this one bucket, which holds backups and nothing else. Their keys contain the id of the backup and are made while it runs.';

function lockOf(
  lock: DeploymentConfig['backup']['objectLock'],
): Pick<s3.BucketProps, 'objectLockDefaultRetention'> {
  if (lock === undefined) return {};
  const days = Duration.days(lock.days);
  return {
    objectLockDefaultRetention:
      lock.mode === 'COMPLIANCE'
        ? s3.ObjectLockRetention.compliance(days)
        : s3.ObjectLockRetention.governance(days),
  };
}
