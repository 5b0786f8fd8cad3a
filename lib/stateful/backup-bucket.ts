import { Aws, Duration } from 'aws-cdk-lib';
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
/** Reports of drills are asked for once a year; the catalogue keeps drills as long. */
const reportDays = 400;

/** What is uploaded to be imported, what lies between the states of an import, and what was decrypted: for a day. */
const temporary = ['uploads/', 'work/', 'scratch/'] as const;

/**
 * Where backups are stored: versioned, ready for Object Lock, encrypted with the key of backups. With escrow, S3 encrypts by
 * keys of its own instead: whoever has lost the key of backups could not even fetch what the passphrase opens.
 */
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
      ...encryptionOf(config, keys),
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
        { prefix: 'drills/', expiration: Duration.days(reportDays) },
        ...temporary.map((prefix) => ({
          prefix,
          expiration: Duration.days(1),
          noncurrentVersionExpiration: Duration.days(1),
          ...abortUploads,
        })),
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

  /** Lets a function read what lies below these prefixes and is not encrypted by KMS; tells it the bucket. */
  grantReadBelow(fn: BundledFunction, prefixes: readonly string[]): void {
    this.allowBelow(fn, ['s3:GetObject'], prefixes);
    fn.allow(['s3:ListBucket'], [this.bucket.bucketArn]);
    fn.addEnvironment('BACKUPS_BUCKET', this.bucket.bucketName);
  }

  /** Lets a function store objects; tells it the bucket. */
  grantWrite(fn: BundledFunction): void {
    fn.allow(['s3:PutObject', 's3:AbortMultipartUpload'], [this.objects]);
    // S3 opens the data key of a multipart upload again for each part.
    fn.allow(['kms:GenerateDataKey', 'kms:Decrypt'], [this.keyArn]);
    this.introduce(fn);
  }

  /**
   * Lets a function sign uploads, and put their parts together; tells it the bucket. S3 asks for the rights of whoever
   * signed a URL when it is used.
   */
  grantSignUploads(fn: BundledFunction): void {
    this.allowBelow(fn, ['s3:PutObject', 's3:AbortMultipartUpload'], ['uploads/']);
    // Only for what S3 encrypts by itself: this function cannot open a backup's data key.
    fn.allowWhere(['kms:GenerateDataKey', 'kms:Decrypt'], [this.keyArn], {
      StringEquals: { 'kms:ViaService': `s3.${Aws.REGION}.amazonaws.com` },
    });
    fn.addEnvironment('BACKUPS_BUCKET', this.bucket.bucketName);
  }

  /** Lets a function store objects below these prefixes only; tells it the bucket. */
  grantWriteBelow(fn: BundledFunction, prefixes: readonly string[]): void {
    this.allowBelow(fn, ['s3:PutObject', 's3:AbortMultipartUpload'], prefixes);
    fn.allow(['kms:GenerateDataKey', 'kms:Decrypt'], [this.keyArn]);
    fn.addEnvironment('BACKUPS_BUCKET', this.bucket.bucketName);
  }

  /** Lets a function remove objects below these prefixes, with their versions and unfinished uploads. */
  grantRemoveBelow(fn: BundledFunction, prefixes: readonly string[]): void {
    fn.allow(['s3:ListBucketVersions', 's3:ListBucketMultipartUploads'], [this.bucket.bucketArn]);
    this.allowBelow(fn, ['s3:DeleteObject', 's3:DeleteObjectVersion', 's3:AbortMultipartUpload'], prefixes);
  }

  private allowBelow(fn: BundledFunction, actions: readonly string[], prefixes: readonly string[]): void {
    const resources = prefixes.map((prefix) => this.bucket.arnForObjects(`${prefix}*`));
    fn.allow(actions, resources);
    for (const resource of resources) acknowledgeResource(fn.policies, resource, objectsReason);
  }

  /** Lets a function find and remove objects, their versions and unfinished uploads; tells it the bucket. */
  grantRemove(fn: BundledFunction): void {
    fn.allow(['s3:ListBucketVersions', 's3:ListBucketMultipartUploads'], [this.bucket.bucketArn]);
    fn.allow(['s3:DeleteObject', 's3:DeleteObjectVersion', 's3:AbortMultipartUpload'], [this.objects]);
    this.introduce(fn);
  }

  /** Lets a function lock objects for a time, and see until when they are; tells it the bucket. */
  grantLock(fn: BundledFunction): void {
    fn.allow(['s3:GetObjectRetention', 's3:PutObjectRetention'], [this.objects]);
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

function encryptionOf(
  { escrow }: BackupBucketProps['config'],
  keys: Keys,
): Pick<s3.BucketProps, 'encryption' | 'encryptionKey' | 'bucketKeyEnabled'> {
  if (escrow.enabled) return { encryption: s3.BucketEncryption.S3_MANAGED };
  return { encryption: s3.BucketEncryption.KMS, encryptionKey: keys.encryption, bucketKeyEnabled: true };
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
