import { ListBucketsCommand, ListObjectVersionsCommand, S3Client } from '@aws-sdk/client-s3';
import type { Backup } from '../../functions/recovery/model.ts';
import { callControl } from '../../local/control/control-client.ts';
import type { LocalPlatform } from '../connect/local-platform.ts';

/**
 * Flips one bit in the largest stored object of a backup, on the disk behind the local runtime.
 *
 * @returns the object's key, and how to flip it back.
 */
export async function flipBit(
  aws: LocalPlatform['aws'],
  backup: Backup,
): Promise<{ object: string; undo(): Promise<void> }> {
  const { endpoint, region, ...credentials } = aws;
  const s3 = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
  try {
    const target = await largestObject(s3, backup);
    const flip = () => callControl(aws, 's3/flip-bit', target);
    await flip();
    return { object: target.key, undo: async () => void (await flip()) };
  } finally {
    s3.destroy();
  }
}

async function largestObject(s3: S3Client, backup: Backup) {
  const { Buckets = [] } = await s3.send(new ListBucketsCommand({}));
  for (const { Name: bucket } of Buckets) {
    const { Versions = [] } = await s3.send(
      new ListObjectVersionsCommand({ Bucket: bucket, Prefix: `backups/${backup.id}/` }),
    );
    const rows = Versions.filter(({ Key }) => Key?.includes('/rows/'));
    const [largest] = rows.sort((a, b) => (b.Size ?? 0) - (a.Size ?? 0));
    if (largest?.Key !== undefined && bucket !== undefined) {
      return { bucket, key: largest.Key, versionId: largest.VersionId };
    }
  }
  throw new Error(`No bucket holds objects of the backup ${backup.id}.`);
}
