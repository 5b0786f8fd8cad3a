import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import type { DeploymentConfig } from '../config/schema.ts';
import type { StandbyConfig } from '../config/standby.ts';
import { bucketInterface } from '../constructs/interfaces.ts';
import { abortUploads, guarded } from '../stateful/bucket-defaults.ts';

export interface VaultProps {
  standby: StandbyConfig;
  config: DeploymentConfig;
}

/**
 * Where the copies of backups go: versioned, ready for Object Lock. A copy is encrypted with the replica of the
 * backups' key, brings its retention along, and ends after `standby.keepDays`.
 */
export class Vault extends Construct {
  readonly bucket: s3.Bucket;

  constructor(scope: Construct, id: string, { standby, config }: VaultProps) {
    super(scope, id);
    const logs = new s3.Bucket(this, 'Logs', {
      ...guarded,
      // A rollback cannot delete a bucket that holds something.
      removalPolicy: RemovalPolicy.RETAIN,
      encryption: s3.BucketEncryption.S3_MANAGED,
      lifecycleRules: [{ ...abortUploads, expiration: Duration.days(config.logs.archiveDays) }],
    });
    this.bucket = new s3.Bucket(this, 'Bucket', {
      ...guarded,
      versioned: true,
      // Replication from a bucket with Object Lock needs it here as well.
      objectLockEnabled: true,
      // Of what is put here without a key; replication names one for every copy.
      encryption: s3.BucketEncryption.S3_MANAGED,
      serverAccessLogsBucket: bucketInterface(logs),
      serverAccessLogsPrefix: 's3/vault/',
      lifecycleRules: [
        {
          ...abortUploads,
          expiration: Duration.days(standby.keepDays),
          noncurrentVersionExpiration: Duration.days(config.backup.noncurrentVersionDays),
        },
        // What is left of a copy whose versions have all ended; S3 takes it in a rule of its own.
        { expiredObjectDeleteMarker: true },
      ],
    });
  }
}
