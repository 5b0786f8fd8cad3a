import { HeadObjectCommand, type HeadObjectCommandOutput, S3ServiceException } from '@aws-sdk/client-s3';
import { onDependency } from '../../shared/dependency.ts';
import type { Bucket } from '../objects/bucket.ts';
import type { StoredObject } from '../workflow.ts';

/** Requests at once; S3 takes 5 500 a second below one prefix. */
const lanes = 16;
/** Asking S3 of more objects takes longer than a function has. */
const maxObjects = 20_000;

export type Proof =
  | { readonly proven: true; readonly objects: number }
  | { readonly proven: false; readonly objects: number; readonly reason: string };

/**
 * Whether stored objects are provably those that a manifest names, without reading them: a version of an object never
 * changes, so S3 still having that version, of that size and (where S3 keeps one of the whole object) with that SHA-256 is
 * enough. What S3 itself would lose or damage is found when the object is read.
 *
 * @param hasTime asked before each request; without time left nothing is proven.
 * @throws DependencyError
 */
export async function proveUnchanged(
  bucket: Bucket,
  objects: readonly StoredObject[],
  hasTime: () => boolean,
): Promise<Proof> {
  if (objects.length > maxObjects) {
    return { proven: false, objects: 0, reason: `There are more than ${maxObjects} objects to ask of.` };
  }
  let next = 0;
  let asked = 0;
  let reason: string | undefined;
  const lane = async (): Promise<void> => {
    while (reason === undefined) {
      const object = objects[next];
      next += 1;
      if (object === undefined) return;
      if (!hasTime()) {
        reason = 'Asking S3 took too long.';
        return;
      }
      const doubt = await doubtAbout(bucket, object);
      asked += 1;
      if (doubt !== undefined) reason ??= `${object.key} ${doubt}`.slice(0, 400);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return reason === undefined ? { proven: true, objects: asked } : { proven: false, objects: asked, reason };
}

async function doubtAbout(bucket: Bucket, object: StoredObject): Promise<string | undefined> {
  if (object.versionId === null) return 'has no version: it could have been replaced.';
  const head = await headOf(bucket, object.key, object.versionId);
  if (head === undefined) return 'is not there in the version that was verified.';
  return differenceOf(head, object);
}

/** What is not as the manifest says; nothing when all that S3 tells agrees. */
export function differenceOf(
  head: Pick<HeadObjectCommandOutput, 'VersionId' | 'ContentLength' | 'ChecksumSHA256'>,
  object: Pick<StoredObject, 'versionId' | 'storedBytes' | 'sha256'>,
): string | undefined {
  if (head.VersionId !== object.versionId) return 'is not there in the version that was verified.';
  if (head.ContentLength !== object.storedBytes) return 'has another size than the one that was verified.';
  const checksum = head.ChecksumSHA256;
  // Of an upload in parts it is a checksum of checksums, with their number behind a hyphen.
  if (checksum === undefined || checksum.includes('-')) return undefined;
  const expected = Buffer.from(object.sha256, 'hex').toString('base64');
  return checksum === expected ? undefined : 'has another SHA-256 than the one that was verified.';
}

function headOf(
  bucket: Bucket,
  Key: string,
  VersionId: string,
): Promise<HeadObjectCommandOutput | undefined> {
  return onDependency('S3', `HeadObject ${Key}`, async () => {
    try {
      return await bucket.s3.send(
        new HeadObjectCommand({ Bucket: bucket.name, Key, VersionId, ChecksumMode: 'ENABLED' }),
      );
    } catch (error) {
      const status = error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
      // 400: a version id that S3 never gave. 405: a delete marker.
      if (status === 404 || status === 400 || status === 405) return undefined;
      throw error;
    }
  });
}
