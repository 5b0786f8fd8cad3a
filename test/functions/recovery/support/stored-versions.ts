import { ListObjectVersionsCommand } from '@aws-sdk/client-s3';
import type { BackupId } from '../../../../functions/recovery/ids.ts';
import type { Bucket } from '../../../../functions/recovery/objects/bucket.ts';
import { backupPrefix } from '../../../../functions/recovery/objects/object-keys.ts';

/** Keys of all versions that are stored of a backup, at most 1 000. */
export async function storedVersions(
  bucket: Bucket,
  id: BackupId,
  prefix: string = backupPrefix(id),
): Promise<string[]> {
  const { Versions = [] } = await bucket.s3.send(
    new ListObjectVersionsCommand({ Bucket: bucket.name, Prefix: prefix }),
  );
  return Versions.map(({ Key = '' }) => Key);
}
