import { ListObjectVersionsCommand, type S3Client } from '@aws-sdk/client-s3';
import { onDependency } from '../../shared/dependency.ts';
import { isoTime } from '../clock.ts';
import type { ListedFile } from './model.ts';

/** Where a listing goes on. */
export interface ListPosition {
  readonly key: string;
  readonly versionId: string;
}

export interface FilesPage {
  readonly files: ListedFile[];
  /** Where the next page begins; absent when this is the last. */
  readonly next: ListPosition | undefined;
}

/**
 * One page of the current versions of a bucket's objects, in the order of their keys; what is deleted has none. A page
 * may hold none, and yet not be the last: it is divided by versions.
 *
 * @param pageSize versions on a page, at most 1 000.
 * @throws DependencyError
 */
export async function listFiles(
  s3: S3Client,
  bucket: string,
  position: ListPosition | undefined,
  pageSize = 1_000,
): Promise<FilesPage> {
  const page = await onDependency('S3', `ListObjectVersions ${bucket}`, () =>
    s3.send(
      new ListObjectVersionsCommand({
        Bucket: bucket,
        // A key may hold characters that XML has not.
        EncodingType: 'url',
        MaxKeys: pageSize,
        ...(position && { KeyMarker: position.key, VersionIdMarker: position.versionId }),
      }),
    ),
  );
  const files = (page.Versions ?? []).flatMap((version): ListedFile[] => {
    const { Key, VersionId, IsLatest, Size, LastModified } = version;
    if (IsLatest !== true || Key === undefined || LastModified === undefined) return [];
    return [
      {
        key: decoded(Key),
        versionId: VersionId ?? 'null',
        size: Size ?? 0,
        lastModified: isoTime(LastModified.getTime()),
      },
    ];
  });
  const { IsTruncated, NextKeyMarker = '', NextVersionIdMarker = '' } = page;
  const next =
    IsTruncated === true ? { key: decoded(NextKeyMarker), versionId: NextVersionIdMarker } : undefined;
  return { files, next };
}

const decoded = (key: string): string => decodeURIComponent(key.replaceAll('+', ' '));
