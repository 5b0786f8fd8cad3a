import {
  AbortMultipartUploadCommand,
  DeleteObjectsCommand,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
  type ListObjectVersionsCommandOutput,
  type _Error as S3Error,
} from '@aws-sdk/client-s3';
import { DependencyError, onDependency } from '../../shared/dependency.ts';
import type { Bucket, ObjectVersion } from './bucket.ts';

export interface Removal {
  readonly objectsRemoved: number;
  readonly uploadsAborted: number;
  /** Whether something is left: time ran out, or its retention has not ended. */
  readonly remaining: boolean;
}

/** The same of one prefix. */
export interface PrefixRemoval extends Removal {
  /** Versions that are there still because Object Lock holds them. */
  readonly locked: number;
}

/** Nothing was removed, and nothing is left. */
export const noRemoval: Removal = { objectsRemoved: 0, uploadsAborted: 0, remaining: false };

/** Whether an object is there, in its latest version. */
export async function exists(bucket: Bucket, key: string): Promise<boolean> {
  const page = await listVersions(bucket, key, {});
  return (page.Versions ?? []).some((version) => version.Key === key && version.IsLatest === true);
}

/**
 * Removes every version of every object below `prefix`, delete markers, and uploads that were never completed. What is
 * under Object Lock stays.
 *
 * @param hasTime asked before each page.
 * @param isNeeded versions that stay, beside what is locked; they do not count as remaining.
 * @param isAllowed asked after each page was listed and before anything of it is removed; `false` ends the removal.
 * @throws DependencyError naming the first object that S3 did not remove for another reason.
 */
export async function removePrefix(
  bucket: Bucket,
  prefix: string,
  hasTime: () => boolean,
  isNeeded: (object: ObjectVersion) => boolean = () => false,
  isAllowed: () => Promise<boolean> = async () => true,
): Promise<PrefixRemoval> {
  if (!(await isAllowed())) return { objectsRemoved: 0, uploadsAborted: 0, locked: 0, remaining: true };
  const uploadsAborted = await abortUploads(bucket, prefix);
  let objectsRemoved = 0;
  let locked = 0;
  let position: Position = {};
  for (;;) {
    if (!hasTime()) return { objectsRemoved, uploadsAborted, locked, remaining: true };
    const page = await listVersions(bucket, prefix, position);
    if (!(await isAllowed())) return { objectsRemoved, uploadsAborted, locked, remaining: true };
    const found = [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])].flatMap(({ Key, VersionId }) =>
      Key === undefined || isNeeded({ key: Key, versionId: VersionId ?? null }) ? [] : [{ Key, VersionId }],
    );
    const kept = found.length > 0 ? await removeVersions(bucket, found) : 0;
    locked += kept;
    objectsRemoved += found.length - kept;
    if (page.IsTruncated !== true) return { objectsRemoved, uploadsAborted, locked, remaining: locked > 0 };
    position = { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker };
  }
}

interface Position {
  KeyMarker?: string | undefined;
  VersionIdMarker?: string | undefined;
}

async function listVersions(
  bucket: Bucket,
  prefix: string,
  position: Position,
): Promise<ListObjectVersionsCommandOutput> {
  return onDependency('S3', `ListObjectVersions ${prefix}`, () =>
    bucket.s3.send(new ListObjectVersionsCommand({ Bucket: bucket.name, Prefix: prefix, ...position })),
  );
}

/** @returns how many of the objects are locked. */
async function removeVersions(
  bucket: Bucket,
  objects: readonly { Key: string; VersionId: string | undefined }[],
): Promise<number> {
  const { Errors = [] } = await onDependency('S3', 'DeleteObjects', () =>
    bucket.s3.send(
      new DeleteObjectsCommand({ Bucket: bucket.name, Delete: { Objects: [...objects], Quiet: true } }),
    ),
  );
  const failed = Errors.filter((error) => !isLocked(error));
  const [first] = failed;
  if (first === undefined) return Errors.length;
  throw new DependencyError(
    `S3 did not remove ${failed.length} objects, among them ${first.Key}: ${first.Code}: ${first.Message}`,
  );
}

/** A missing permission has the same code; only the message tells them apart. */
const isLocked = ({ Code, Message }: S3Error): boolean =>
  Code === 'AccessDenied' && /object lock/i.test(Message ?? '');

async function abortUploads(bucket: Bucket, prefix: string): Promise<number> {
  let aborted = 0;
  let position: { KeyMarker?: string | undefined; UploadIdMarker?: string | undefined } = {};
  for (;;) {
    const page = await onDependency('S3', `ListMultipartUploads ${prefix}`, () =>
      bucket.s3.send(new ListMultipartUploadsCommand({ Bucket: bucket.name, Prefix: prefix, ...position })),
    );
    for (const { Key, UploadId } of page.Uploads ?? []) {
      await onDependency('S3', `AbortMultipartUpload ${Key}`, () =>
        bucket.s3.send(new AbortMultipartUploadCommand({ Bucket: bucket.name, Key, UploadId })),
      );
      aborted++;
    }
    if (page.IsTruncated !== true) return aborted;
    position = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker };
  }
}
